import { describe, expect, it } from 'vitest';
import { withKeyHint } from '../../src/commands/key-hint.js';
import { MatrixError, NetworkError, type Mx2sError } from '../../src/errors.js';
import { parseFederationAnswer } from '../../src/federation/federation-answer.js';
import type { Identity } from '../../src/federation/server-keys.js';
import { parseSigningKeyFile } from '../../src/federation/signing-key.js';
import { timedOut, UnsentError } from '../../src/http/network-error.js';
import { parseServerName } from '../../src/ids/server-name.js';

const SEED = 'YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1'; // Matrix v1.19, Appendices, "Cryptographic Test Vectors"
const IDENTITY: Identity = {
  serverName: parseServerName('example.org'),
  keys: parseSigningKeyFile(`ed25519 a_1 ${SEED}\n`, 'a.key'),
};
const REQUEST = { method: 'PUT', url: 'https://b.test/' } as const;
const NOBODY_CAME = { authority: '127.0.0.1:8448', timesAsked: 0, tlsVisits: 0 };

/** What comes of an answer that is no success. */
function refused(status: number, body: object): Mx2sError {
  const answer = { ...REQUEST, status, headers: {}, body: JSON.stringify(body), attempts: 1, elapsedMs: 1 };
  try {
    parseFederationAnswer('PUT', answer);
  } catch (error) {
    if (error instanceof MatrixError) return error;
  }
  throw new Error('it is a success');
}

function hintOf(error: Mx2sError, listener = undefined as typeof NOBODY_CAME | undefined): string {
  const hinted = withKeyHint(error, IDENTITY, listener);
  expect(hinted).toMatchObject({ code: error.code, message: error.message, retryable: error.retryable });
  return (hinted as Mx2sError).hint ?? '';
}

describe('a refused signature', () => {
  it.each([
    [
      'the key is not published',
      undefined,
      /^the other server fetches the key from example\.org: publish it/,
    ],
    ['nobody came', NOBODY_CAME, /^nobody asked for the key at 127\.0\.0\.1:8448: the name example\.org has/],
    ['the certificate was not liked', { ...NOBODY_CAME, tlsVisits: 1 }, /left without it: .* --tls-cert$/],
    ['it was fetched', { ...NOBODY_CAME, timesAsked: 1 }, /is not believed: .* another ed25519:a_1 of exam/],
  ])('says what we know of the key: %s', (_what, listener, hint) => {
    expect(hintOf(refused(401, { errcode: 'M_UNAUTHORIZED' }), listener)).toMatch(hint);
    expect(hintOf(refused(401, { error: 'Failed to verify' }), listener)).toMatch(hint);
  });
});

describe('no answer in time', () => {
  it('may be for want of the key', () => {
    const hint = hintOf(timedOut(REQUEST, 30_000), NOBODY_CAME);
    expect(hint).toMatch(/^it may wait for the key all the while; nobody asked for the key at /);
    expect(hintOf(timedOut(REQUEST, 30_000))).toMatch(/; the other server fetches the key from example\.org/);
  });

  it('has another reason when the key was fetched', () => {
    const error = timedOut(REQUEST, 30_000);
    expect(hintOf(error, { ...NOBODY_CAME, timesAsked: 1 })).toBe(error.hint);
  });
});

describe('the hint of its own is kept by', () => {
  it.each<[string, Mx2sError]>([
    ['a 401 of what is no Matrix server', refused(401, {})],
    ['another refusal', refused(403, { errcode: 'M_FORBIDDEN' })],
    ['a connection that was refused', new UnsentError(REQUEST, 'refused', { hint: 'its own' })],
    ['a connection that was cut off', new NetworkError(REQUEST, 'cut off', { hint: 'its own' })],
  ])('%s', (_what, error) => {
    expect(withKeyHint(error, IDENTITY, NOBODY_CAME)).toBe(error);
  });
});
