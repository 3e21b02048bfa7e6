/** Passwords: those a person chose are hashed slowly, those made of chance need not be. */
import { createHash, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import type { Chance } from '../chance.js';

/** A password that nobody chose. */
export function createPassword(chance: Chance): string {
  return Buffer.from(chance.bytes(MADE_UP_BYTES)).toString('base64url');
}

/** For a password that a person chose: `scrypt$N$r$p$salt$hash`. */
export async function hashChosenPassword(password: string, chance: Chance): Promise<string> {
  const salt = Buffer.from(chance.bytes(SALT_BYTES));
  const { N, r, p } = COST;
  const hash = await derive(password, salt, COST);
  return ['scrypt', N, r, p, salt.toString('base64'), hash.toString('base64')].join('$');
}

/** For a password of `createPassword`: `sha256$hash`. There is nothing to guess in it. */
export function hashMadeUpPassword(password: string): string {
  return `sha256$${sha256(password).toString('base64')}`;
}

/** Is this the password that `hash` was made of? */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [scheme, ...parts] = hash.split('$');
  const expected = Buffer.from(parts.at(-1) ?? '', 'base64');
  const [N, r, p, salt = ''] = parts;
  const actual =
    scheme === 'scrypt'
      ? await derive(password, Buffer.from(salt, 'base64'), { N: Number(N), r: Number(r), p: Number(p) })
      : sha256(password);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function derive(password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, cost, (error, hash) => (error ? reject(error) : resolve(hash)));
  });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const COST = { N: 16_384, r: 8, p: 1 };
const HASH_BYTES = 32;
const SALT_BYTES = 16;
const MADE_UP_BYTES = 24;
