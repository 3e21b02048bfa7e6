/**
 * Ed25519 signing keys of servers: their file, and what they sign and verify.
 *
 * The file has Synapse's format, one key a line: `ed25519 a_1 <unpadded base64 of the 32-byte seed>`. The first
 * is the key in use.
 *
 * @see Matrix v1.19, Appendices, "Signing JSON"; RFC 8032
 */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Chance } from '../chance.js';
import { InvalidInputError } from '../errors.js';
import { decodeBase64, encodeBase64 } from '../wire/base64.js';

export interface SigningKey {
  /** `ed25519:a_1`. */
  readonly keyId: string;
  /** Unpadded base64 of the 32-byte public key. */
  readonly publicKey: string;
  /** The signature on the UTF-8 of `text`, as unpadded base64. */
  sign(text: string): string;
}

/** The keys of one server, the one in use first. */
export type SigningKeys = readonly [SigningKey, ...SigningKey[]];

/** @throws InvalidInputError when `seed` is not 32 bytes or the version has other characters than `[a-zA-Z0-9_]` */
export function signingKeyFromSeed(version: string, seed: Uint8Array): SigningKey {
  if (!KEY_VERSION.test(version)) {
    throw new InvalidInputError(`'${version}' is no key version`, {
      reason: 'key_version',
      hint: 'use letters, digits and _',
    });
  }
  if (seed.byteLength !== SEED_BYTES) {
    throw new InvalidInputError(`an Ed25519 seed has ${SEED_BYTES} bytes, this one has ${seed.byteLength}`, {
      reason: 'key_seed',
    });
  }
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  return {
    keyId: `ed25519:${version}`,
    publicKey: rawPublicKey(privateKey),
    sign: (text) => encodeBase64(sign(null, Buffer.from(text, 'utf8'), privateKey)),
  };
}

/**
 * Reads a key file's text: the key in use, and after it those that are published with it.
 * @throws InvalidInputError that names the line, never its content
 */
export function parseSigningKeyFile(text: string, file: string): SigningKeys {
  const keys = new Map<string, SigningKey>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const at = `line ${index + 1}`;
    const [algorithm, version = '', seedText = '', ...rest] = line.trim().split(/\s+/);
    const seed = decodeBase64(seedText);
    const isKey = algorithm === 'ed25519' && KEY_VERSION.test(version) && seed?.byteLength === SEED_BYTES;
    if (!isKey || rest.length > 0) {
      throw new InvalidInputError(`${file}: ${at} is no signing key`, {
        reason: 'key_file',
        at,
        hint: 'a line is: ed25519 VERSION SEED-IN-UNPADDED-BASE64; mx2s keygen writes one',
      });
    }
    if (keys.has(version)) {
      throw new InvalidInputError(`${file}: ${at} names the key version ${version} again`, {
        reason: 'key_file',
        at,
        hint: 'each key has a version of its own',
      });
    }
    keys.set(version, signingKeyFromSeed(version, seed));
  }
  const [first, ...others] = keys.values();
  if (first === undefined) {
    throw new InvalidInputError(`${file} holds no signing key`, {
      reason: 'key_file',
      hint: 'mx2s keygen FILE makes one',
    });
  }
  return [first, ...others];
}

/** The text of a key file with this one key. */
export function encodeSigningKeyFile(version: string, seed: Uint8Array): string {
  return `ed25519 ${version} ${encodeBase64(seed)}\n`;
}

/**
 * The text of a key file with a new key. A server never uses a version again for another key; so it is made up, as
 * Synapse does: `a_` and four letters.
 */
export function createSigningKeyFile(chance: Pick<Chance, 'bytes'>): string {
  const letters = Array.from(chance.bytes(VERSION_LETTERS), (byte) => LETTERS[byte % LETTERS.length]);
  return encodeSigningKeyFile(`a_${letters.join('')}`, chance.bytes(SEED_BYTES));
}

/** A public key that can verify, or undefined when the text is no base64 of 32 bytes. */
export function parsePublicKey(base64: string): PublicKey | undefined {
  const raw = decodeBase64(base64);
  if (raw?.byteLength !== PUBLIC_KEY_BYTES) return undefined;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  return {
    verify: async (text, signature) => {
      const bytes = decodeBase64(signature);
      return (
        bytes?.byteLength === SIGNATURE_BYTES && verifyAside(null, Buffer.from(text, 'utf8'), key, bytes)
      );
    },
  };
}

export interface PublicKey {
  /** Is `signature` (base64) this key's signature on the UTF-8 of `text`? */
  verify(text: string, signature: string): Promise<boolean>;
}

function rawPublicKey(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return encodeBase64(der.subarray(SPKI_PREFIX.byteLength));
}

/** Off the main thread, on Node's pool: it takes as long as all the rest of a request. */
const verifyAside = promisify(verify);
const KEY_VERSION = /^[a-zA-Z0-9_]+$/;
/** The ID of an Ed25519 key; those of other algorithms verify nothing here. */
export const KEY_ID = /^ed25519:[a-zA-Z0-9_]+$/;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const VERSION_LETTERS = 4;
const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** RFC 8410: what stands before the seed in PKCS#8, and before the public key in SubjectPublicKeyInfo. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
