import { describe, expect, it } from 'vitest';
import { networkErrorOf, timedOut, UnsentError } from '../../src/http/network-error.js';
import { CutOffError, ProxyRefusal } from '../../src/http/open-socket.js';
import type { HttpRequest } from '../../src/http/request.js';

const REQUEST: HttpRequest = { method: 'GET', url: 'https://hs.example:8448/x?access_token=secret' };
const DIRECT = { sent: false, proxy: undefined };

function coded(code: string, message = 'as Node says it'): Error {
  return Object.assign(new Error(message), { code });
}

describe('networkErrorOf', () => {
  const cases: [code: string, says: string, retryable: boolean][] = [
    ['ENOTFOUND', 'DNS does not know hs.example', true],
    ['EAI_AGAIN', 'DNS gave no answer for hs.example', true],
    ['ECONNREFUSED', 'connection refused by hs.example:8448', true],
    ['EHOSTUNREACH', 'no route to hs.example:8448', true],
    ['ENETUNREACH', 'no route to hs.example:8448', true],
    ['ETIMEDOUT', 'connecting to hs.example:8448 timed out', true],
    ['ECONNRESET', 'the connection was cut off before the answer was complete', true],
    ['EPIPE', 'the connection was cut off before the answer was complete', true],
    ['CERT_HAS_EXPIRED', 'TLS certificate refused: it has expired', false],
    ['CERT_NOT_YET_VALID', 'TLS certificate refused: it is not valid yet', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS certificate refused: it is not made out to hs.example', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'TLS certificate refused: it is self-signed', false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'TLS certificate refused: its issuer is not trusted here', false],
    ['CERT_REVOKED', 'TLS certificate refused: cert revoked', false],
    ['EPROTO', 'TLS failed', false],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS failed', false],
    ['HPE_INVALID_CONSTANT', 'what answers does not speak HTTP', false],
    ['EWHATEVER', 'as Node says it', true],
  ];
  it.each(cases)('%s: %s', (code, says, retryable) => {
    const error = networkErrorOf(REQUEST, DIRECT, coded(code));
    expect(error.message).toContain(`GET https://hs.example:8448/x: ${says}`);
    expect(error.retryable).toBe(retryable);
    expect(error.hint).toMatch(/^\S.*[^.]$/);
    expect(error).toMatchObject({ method: 'GET', url: 'https://hs.example:8448/x' });
  });

  it.each([
    ['ENOTFOUND', 'DNS does not know the proxy proxy.example'],
    ['ECONNREFUSED', 'connection refused by the proxy proxy.example:3128'],
    ['ETIMEDOUT', 'connecting to the proxy proxy.example:3128 timed out'],
  ])('%s with a proxy: %s', (code, says) => {
    const error = networkErrorOf(REQUEST, { sent: false, proxy: 'http://proxy.example:3128' }, coded(code));
    expect(error.message).toContain(says);
  });

  it.each([
    [new CutOffError(), 'the connection was cut off before the answer was complete', true],
    [new ProxyRefusal(403), 'the proxy proxy.example:3128 refused: it answered with 403', false],
  ])('has words for %o', (cause, says, retryable) => {
    const error = networkErrorOf(REQUEST, { sent: false, proxy: 'http://proxy.example:3128' }, cause);
    expect(error.message).toContain(says);
    expect(error.retryable).toBe(retryable);
  });

  it('tells an error that never left from one that may have', () => {
    expect(networkErrorOf(REQUEST, DIRECT, coded('ECONNREFUSED'))).toBeInstanceOf(UnsentError);
    expect(networkErrorOf(REQUEST, { ...DIRECT, sent: true }, coded('ECONNRESET'))).not.toBeInstanceOf(
      UnsentError,
    );
  });

  it('finds the code in what Node wraps', () => {
    const wrapped = [
      new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')]),
      new Error('fetch failed', { cause: coded('ECONNREFUSED') }),
    ];
    for (const cause of wrapped) {
      expect(networkErrorOf(REQUEST, DIRECT, cause).message).toContain('connection refused');
    }
  });

  it.each([undefined, null, 'text', {}, new Error('')])('says something of %o', (cause) => {
    expect(networkErrorOf(REQUEST, DIRECT, cause).message).toBe(
      'GET https://hs.example:8448/x: the exchange failed',
    );
  });
});

describe('timedOut', () => {
  it('says how long was waited, and is no proof that nothing was sent', () => {
    const error = timedOut(REQUEST, 45_000);
    expect(error.message).toBe('GET https://hs.example:8448/x: no complete answer within 45 s');
    expect(error.retryable).toBe(true);
    expect(error).not.toBeInstanceOf(UnsentError);
  });
});
