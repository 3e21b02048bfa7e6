import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  encodeSigningKeyFile,
  parsePublicKey,
  parseSigningKeyFile,
  signingKeyFromSeed,
} from '../../src/federation/signing-key.js';
import { decodeBase64 } from '../../src/wire/base64.js';
import { canonicalJson } from '../../src/wire/canonical-json.js';
import { parseJson, type JsonObject } from '../../src/wire/json.js';
import { signedText } from '../../src/wire/signed-json.js';
import { readVectorFile } from '../wire/vector-file.js';

const vectors = readVectorFile<object, { signed: string; signature: string }>('wire/signing/objects.json', {
  top: ['key'],
  expect: ['signed', 'signature'],
});
const eventHashes = readVectorFile<object, { sha256: string }>('wire/signing/event-hashes.json', {
  expect: ['sha256'],
});
const vectorKey = vectors['key'] as { seed: string; key_id: string; public_key: string };
const seed = decodeBase64(vectorKey.seed) ?? new Uint8Array();
const key = signingKeyFromSeed('1', seed);

function objectOf(value: unknown): JsonObject {
  return parseJson(JSON.stringify(value)) as JsonObject;
}

describe('an Ed25519 key', () => {
  it('has the public key of the specification', () => {
    expect(key).toMatchObject({ keyId: vectorKey.key_id, publicKey: vectorKey.public_key });
  });

  it.each(vectors.cases)('signs $name: $why', async ({ input, expect: { signed, signature } }) => {
    const object = objectOf(input);
    expect(signedText(object)).toBe(signed);
    expect(key.sign(signedText(object))).toBe(signature);
    expect(await parsePublicKey(key.publicKey)?.verify(signed, signature)).toBe(true);
    expect(await parsePublicKey(key.publicKey)?.verify(`${signed} `, signature)).toBe(false);
  });

  it('takes padded base64, too', async () => {
    expect(await parsePublicKey(`${key.publicKey}=`)?.verify('x', `${key.sign('x')}==`)).toBe(true);
  });

  it.each(['', 'AAAA', '!', `${'A'.repeat(43)}!`])('is not made from %j', (text) => {
    expect(parsePublicKey(text)).toBeUndefined();
  });

  it.each(['', 'AAAA', 'no base64!'])('does not take %j for a signature', async (text) => {
    expect(await parsePublicKey(key.publicKey)?.verify('x', text)).toBe(false);
  });
});

it.each(eventHashes.cases)(
  'the canonical JSON of the $name hashes as specified',
  ({ input, expect: { sha256 } }) => {
    const members = objectOf(input).members.filter(
      ({ key: name }) => !['unsigned', 'signatures', 'hashes'].includes(name),
    );
    const digest = createHash('sha256')
      .update(canonicalJson({ kind: 'object', members }))
      .digest('base64');
    expect(digest.replace(/=+$/, '')).toBe(sha256);
  },
);

describe('a key file', () => {
  it('round trips', () => {
    const parsed = parseSigningKeyFile(encodeSigningKeyFile('a_1', seed), 'k');
    expect(parsed).toEqual([expect.objectContaining({ keyId: 'ed25519:a_1', publicKey: key.publicKey })]);
  });

  it('may hold several keys, the one in use first; blank lines and line ends do not matter', () => {
    const text = `\r\n${encodeSigningKeyFile('new', seed)}\r\n\n${encodeSigningKeyFile('old', new Uint8Array(32))}`;
    expect(parseSigningKeyFile(text, 'k').map(({ keyId }) => keyId)).toEqual(['ed25519:new', 'ed25519:old']);
  });

  it.each([
    ['', 'k holds no signing key'],
    ['ed25519 a_1', 'k: line 1 is no signing key'],
    ['\ned25519 a-1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1', 'k: line 2 is no signing key'],
    ['rsa a_1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1', 'k: line 1 is no signing key'],
    ['ed25519 a_1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1 x', 'k: line 1 is no signing key'],
    [encodeSigningKeyFile('a', seed).repeat(2), 'k: line 2 names the key version a again'],
  ])('%j is refused without its content', (text, message) => {
    expect(() => parseSigningKeyFile(text, 'k')).toThrow(message);
    expect(() => parseSigningKeyFile(text, 'k')).not.toThrow('YJDB');
  });
});
