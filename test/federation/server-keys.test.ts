import { describe, expect, it } from 'vitest';
import {
  publishedKeys,
  signedBy,
  usableUntilMs,
  verifyServerKeys,
  type ServerKeys,
} from '../../src/federation/server-keys.js';
import { signingKeyFromSeed } from '../../src/federation/signing-key.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { decodeBase64 } from '../../src/wire/base64.js';
import { encodeJson, parseJson, plainValue, type JsonObject } from '../../src/wire/json.js';
import { signaturesOf, signedText, withSignature } from '../../src/wire/signed-json.js';
import { readVectorFile } from '../wire/vector-file.js';
import { keyOf } from './peer.js';

const serverName = parseServerName('domain');
const first = keyOf('one', 1);
const second = keyOf('two', 2);
const NOW = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

describe('publishedKeys', () => {
  it('is the vector K-1', () => {
    const vectors = readVectorFile<object, { signed: string; signature: string }>(
      'wire/signing/objects.json',
      {
        top: ['key'],
        expect: ['signed', 'signature'],
      },
    );
    const wanted = vectors.cases.find(({ name }) => name === 'K-1')?.expect;
    const { seed } = vectors['key'] as { seed: string };
    const key = signingKeyFromSeed('1', decodeBase64(seed) ?? new Uint8Array());
    const object = publishedKeys({ serverName, keys: [key] }, 1_700_000_000_000 - DAY_MS);
    expect(signedText(object)).toBe(wanted?.signed);
    expect(signaturesOf(object)).toEqual([
      { entity: 'domain', keyId: 'ed25519:1', signature: wanted?.signature },
    ]);
  });

  it('is good for a day, and signed with each key', async () => {
    const object = publishedKeys({ serverName, keys: [first, second] }, NOW);
    expect(plainValue(object)).toMatchObject({ valid_until_ts: NOW + DAY_MS, old_verify_keys: {} });
    expect(signaturesOf(object).map(({ keyId }) => keyId)).toEqual(['ed25519:one', 'ed25519:two']);
    expect((await verified(object)).verifyKeys.size).toBe(2);
  });
});

describe('verifyServerKeys', () => {
  it('has the keys that are listed, as they verify', async () => {
    const keys = await verified(publishedKeys({ serverName, keys: [first] }, NOW));
    expect(keys).toMatchObject({ fetchedMs: NOW, validUntilMs: NOW + DAY_MS });
    expect(await keys.verifyKeys.get('ed25519:one')?.verify('x', first.sign('x'))).toBe(true);
  });

  it('does with one signature of several keys', async () => {
    const object = signedBy(unsigned({ verify_keys: listed(first, second) }), serverName, second);
    expect([...(await verified(object)).verifyKeys.keys()]).toEqual(['ed25519:one', 'ed25519:two']);
  });

  it('has no key that is no longer in use, nor one of another algorithm', async () => {
    const object = unsigned({
      verify_keys: { ...listed(first), 'rsa:1': { key: 'x' }, 'ed25519:a-b': { key: second.publicKey } },
      old_verify_keys: { 'ed25519:two': { key: second.publicKey, expired_ts: 1 } },
    });
    const { verifyKeys } = await verified(signedBy(object, serverName, first));
    expect([...verifyKeys.keys()]).toEqual(['ed25519:one']);
  });

  it('does not mind signatures of others, nor what is unsigned', async () => {
    const object = publishedKeys({ serverName, keys: [first] }, NOW);
    const foreign = withSignature(object, { entity: 'notary', keyId: 'ed25519:x', signature: 'bad' });
    const unlisted = withSignature(foreign, { entity: 'domain', keyId: 'ed25519:x', signature: 'bad' });
    const extended: JsonObject = {
      kind: 'object',
      members: [...unlisted.members, { key: 'unsigned', value: parseJson('{"age":1.5}') }],
    };
    expect((await verified(extended)).verifyKeys.size).toBe(1);
  });

  it.each<[string, JsonObject | string, string]>([
    ['a list', '[]', 'the keys are no JSON object'],
    ['of another server', signed({ server_name: 'other' }), 'the keys are of another server'],
    ['in upper case', signed({ server_name: 'Domain' }), 'the keys are of another server'],
    ['without an end', signed({ valid_until_ts: undefined }), 'valid_until_ts is missing or no integer'],
    ['with an end in words', signed({ valid_until_ts: '1' }), 'valid_until_ts is missing or no integer'],
    ['without keys', signed({ verify_keys: undefined }), 'verify_keys is missing or no object'],
    ['with a list of keys', signed({ verify_keys: [] }), 'verify_keys is missing or no object'],
    ['with no key', signed({ verify_keys: {} }), 'no key that is listed has signed'],
    ['unsigned', unsigned({}), 'no key that is listed has signed'],
    [
      'signed by a key that is not listed',
      signedBy(unsigned({}), serverName, second),
      'no key that is listed has signed',
    ],
    [
      'signed for another entity',
      signedBy(unsigned({}), parseServerName('other'), first),
      'no key that is listed has signed',
    ],
    [
      'changed after signing',
      withSignature(unsigned({ valid_until_ts: 5 }), { ...signatureOn(signed({})) }),
      'the signature of ed25519:one is bad',
    ],
    [
      'with one good and one bad signature of listed keys',
      withSignature(signedBy(unsigned({ verify_keys: listed(first, second) }), serverName, first), {
        entity: 'domain',
        keyId: 'ed25519:two',
        signature: first.sign('x'),
      }),
      'the signature of ed25519:two is bad',
    ],
    [
      'with a signature of a listed key that is none',
      withSignature(
        signedBy(
          unsigned({ verify_keys: { ...listed(first), 'ed25519:two': { key: 'x' } } }),
          serverName,
          first,
        ),
        {
          entity: 'domain',
          keyId: 'ed25519:two',
          signature: first.sign('x'),
        },
      ),
      'the signature of ed25519:two is bad',
    ],
    ['with a number that cannot be signed', unsigned({ x: 1.5 }), 'the keys have no canonical form: '],
    [
      'with more keys than anybody has',
      unsigned({
        verify_keys: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`ed25519:${String(n)}`, {}])),
      }),
      'more than 100 keys are listed',
    ],
  ])('refuses keys %s', async (_what, object, fault) => {
    const node = typeof object === 'string' ? parseJson(object) : object;
    expect(await verifyServerKeys(node, serverName, NOW)).toEqual({ fault: expect.stringContaining(fault) });
  });
});

it.each([
  [NOW + DAY_MS, NOW + DAY_MS],
  [NOW + 30 * DAY_MS, NOW + 7 * DAY_MS],
  [NOW - 1, NOW - 1],
])('keys that are said to be good until %i are used until %i', async (validUntilMs, usedMs) => {
  const keys = await verified(signed({ valid_until_ts: validUntilMs }));
  expect(usableUntilMs(keys)).toBe(usedMs);
});

async function verified(object: JsonObject): Promise<ServerKeys> {
  const keys = await verifyServerKeys(parseJson(encodeJson(object)), serverName, NOW);
  if ('fault' in keys) throw new Error(keys.fault);
  return keys;
}

function signed(change: object): JsonObject {
  return signedBy(unsigned(change), serverName, first);
}

function unsigned(change: object): JsonObject {
  const object = {
    server_name: 'domain',
    valid_until_ts: NOW + DAY_MS,
    verify_keys: listed(first),
    ...change,
  };
  return parseJson(JSON.stringify(object)) as JsonObject;
}

function listed(...keys: (typeof first)[]): object {
  return Object.fromEntries(keys.map(({ keyId, publicKey }) => [keyId, { key: publicKey }]));
}

function signatureOn(object: JsonObject) {
  const [signature] = signaturesOf(object);
  if (signature === undefined) throw new Error('there is no signature');
  return signature;
}
