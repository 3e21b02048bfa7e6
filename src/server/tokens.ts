/** Access and refresh tokens: made of chance, remembered as hashes. */
import { hash } from 'node:crypto';
import type { Chance } from '../chance.js';

/** A new token. The prefix tells scanners for lost secrets, and people, what it is. */
export function createToken(kind: 'access' | 'refresh', chance: Chance): string {
  const secret = Buffer.from(chance.bytes(TOKEN_BYTES)).toString('base64url');
  return `${PREFIXES[kind]}${secret}`;
}

/** What the store knows of a token. Fast on purpose: there is nothing to guess in 32 bytes of chance. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url');
}

const TOKEN_BYTES = 32;
const PREFIXES = { access: 'mx2s_a_', refresh: 'mx2s_r_' } as const;
