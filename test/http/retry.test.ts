import { describe, expect, it } from 'vitest';
import { NetworkError, RedirectError } from '../../src/errors.js';
import { UnsentError } from '../../src/http/network-error.js';
import {
  backoffMs,
  decideRetry,
  FRESH,
  retryAfterMs,
  type Outcome,
  type RetryQuestion,
} from '../../src/http/retry.js';

const REQUEST = { method: 'PUT', url: 'https://hs.example/x' };
const CUT_OFF: Outcome = { error: new NetworkError(REQUEST, 'cut off') };
const UNSENT: Outcome = { error: new UnsentError(REQUEST, 'refused') };
const CERTIFICATE: Outcome = { error: new UnsentError(REQUEST, 'certificate', { retryable: false }) };
const NOW = Date.parse('2026-11-25T12:00:00Z');

function answered(status: number, headers: Record<string, string> = {}, body = ''): Outcome {
  return { answer: { status, headers, body, url: REQUEST.url } };
}

function decide(outcome: Outcome, changes: Partial<RetryQuestion> = {}) {
  return decideRetry({
    outcome,
    request: {},
    policy: { retries: 5, maxWaitMs: 60_000 },
    state: FRESH,
    nowMs: NOW,
    fraction: 0.5,
    ...changes,
  });
}

describe('what is tried again', () => {
  it.each([408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 529])(
    'status %i',
    (status) => {
      expect(decide(answered(status))).toMatchObject({ kind: 'again', reason: `status ${String(status)}` });
    },
  );

  it.each([200, 204, 304, 400, 401, 403, 404, 405, 409, 413, 501, 505, 507, 519, 530])(
    'never status %i',
    (status) => {
      expect(decide(answered(status))).toEqual({ kind: 'done' });
    },
  );

  const failures: [name: string, outcome: Outcome, safe: string, unsent: string][] = [
    ['a connection cut off', CUT_OFF, 'again', 'done'],
    ['a connection never made', UNSENT, 'again', 'again'],
    ['a refused certificate', CERTIFICATE, 'done', 'done'],
    ['a redirect', { error: new RedirectError('/x', 'elsewhere') }, 'done', 'done'],
    ['a bug', { error: new TypeError('x') }, 'done', 'done'],
    ['a 503', answered(503), 'again', 'done'],
    ['a rate limit', answered(429), 'again', 'again'],
  ];
  it.each(failures)('%s', (_name, outcome, safe, unsent) => {
    expect(decide(outcome).kind).toBe(safe);
    expect(decide(outcome, { request: { retry: 'unsent' } }).kind).toBe(unsent);
    expect(decide(outcome, { request: { retry: 'never' } }).kind).toBe('done');
  });

  it('a failure, as often as the policy says', () => {
    const policy = { retries: 2, maxWaitMs: 0 };
    expect(decide(CUT_OFF, { policy, state: { ...FRESH, failures: 1 } }).kind).toBe('again');
    expect(decide(CUT_OFF, { policy, state: { ...FRESH, failures: 2 } }).kind).toBe('done');
    expect(decide(CUT_OFF, { policy: { retries: 0, maxWaitMs: 0 } }).kind).toBe('done');
  });

  it('a success that is no JSON object, once, where one is expected', () => {
    const request = { expectsObject: true };
    for (const body of ['<html>', '', '[]', '{"cut":']) {
      expect(decide(answered(200, {}, body), { request })).toMatchObject({
        kind: 'again',
        reason: 'an answer that is no JSON object',
      });
      expect(decide(answered(200, {}, body), { request, state: { ...FRESH, failures: 1 } }).kind).toBe(
        'done',
      );
      expect(decide(answered(200, {}, body)).kind).toBe('done');
      expect(decide(answered(404, {}, body), { request }).kind).toBe('done');
    }
    expect(decide(answered(200, {}, ' {"a":1}\n'), { request }).kind).toBe('done');
  });

  it('counts failures and rate limits apart', () => {
    const state = { failures: 5, limits: 0, limitedWaitMs: 0 };
    expect(decide(answered(429, { 'retry-after': '1' }), { state })).toMatchObject({
      kind: 'again',
      state: { failures: 5, limits: 1, limitedWaitMs: 1000 },
    });
    expect(decide(CUT_OFF, { state: { failures: 0, limits: 9, limitedWaitMs: 1 } })).toMatchObject({
      state: { failures: 1, limits: 9, limitedWaitMs: 1 },
    });
  });
});

describe('how long a failure waits', () => {
  it.each([
    [0, 0, 0],
    [0, 0.5, 500],
    [1, 0.5, 1000],
    [4, 0.5, 8000],
    [5, 0.5, 16_000],
    [6, 0.5, 30_000],
    [6, 0.999, 59_940],
    [5000, 0.5, 30_000],
  ])('attempt %i with chance %d: %i ms', (attempt, fraction, ms) => {
    expect(backoffMs(attempt, fraction)).toBe(ms);
  });

  it('as long as a Retry-After asks, up to a minute', () => {
    expect(decide(answered(503, { 'retry-after': '7' }))).toMatchObject({ delayMs: 7000 });
    expect(decide(answered(503, { 'retry-after': '3600' }))).toMatchObject({ delayMs: 60_000 });
    expect(decide(answered(503, { 'retry-after': '0' }))).toMatchObject({ delayMs: 500 });
  });
});

describe('how long a rate limit waits', () => {
  const cases: [name: string, header: string | undefined, body: string, ms: number][] = [
    ['seconds', '5', '', 5000],
    ['a date', 'Wed, 25 Nov 2026 12:00:09 GMT', '', 9000],
    ['a date of the old form', 'Wednesday, 25-Nov-26 12:00:09 GMT', '', 9000],
    ['a date that has passed', 'Wed, 25 Nov 2026 11:00:00 GMT', '', 100],
    ['the header before the body', '5', '{"retry_after_ms":1}', 5000],
    ['the body', undefined, '{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1234}', 1234],
    ['the body when the header is no wait', 'soon', '{"retry_after_ms":1234}', 1234],
    ['neither', undefined, '<html>', 500],
    ['at once', '0', '', 100],
  ];
  it.each(cases)('%s', (_name, header, body, ms) => {
    const outcome = answered(429, header === undefined ? {} : { 'retry-after': header }, body);
    expect(decide(outcome)).toMatchObject({ kind: 'again', delayMs: ms, reason: 'rate limited' });
  });

  it('trusts the errcode over the status', () => {
    expect(decide(answered(403, {}, '{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":7000}'))).toMatchObject({
      kind: 'again',
      delayMs: 7000,
    });
    expect(decide(answered(200, {}, '{"errcode":"M_LIMIT_EXCEEDED"}'))).toEqual({ kind: 'done' });
  });

  it('all the waits of one request together, no longer than the policy says', () => {
    const policy = { retries: 5, maxWaitMs: 10_000 };
    const limit = answered(429, { 'retry-after': '5' });
    expect(decide(limit, { policy, state: { ...FRESH, limitedWaitMs: 5000 } }).kind).toBe('again');
    expect(decide(limit, { policy, state: { ...FRESH, limitedWaitMs: 5001 } })).toEqual({
      kind: 'limited',
      retryAfterMs: 5000,
    });
    expect(decide(answered(429), { policy: { retries: 5, maxWaitMs: 0 } }).kind).toBe('limited');
  });
});

describe('a request that is rate limited again and again', () => {
  /** The waits of one request, to the end of the policy's patience. */
  function waits(header: Readonly<Record<string, string>>): number[] {
    const delays: number[] = [];
    for (let state = FRESH; ;) {
      const decision = decide(answered(429, header), { state });
      if (decision.kind !== 'again') return delays;
      delays.push(decision.delayMs);
      state = decision.state;
    }
  }

  it.each([
    ['at once', { 'retry-after': '0' }, [100, 1000, 2000, 4000, 8000, 16_000, 28_900]],
    ['nothing of when', {}, [500, 1000, 2000, 4000, 8000, 16_000, 28_500]],
    ['a second', { 'retry-after': '1' }, [1000, 1000, 2000, 4000, 8000, 16_000, 28_000]],
    ['20 s', { 'retry-after': '20' }, [20_000, 20_000, 20_000]],
  ])('waits longer each time, as far as it may, where the server says %s', (_what, header, delays) => {
    expect(waits(header)).toEqual(delays);
  });
});

describe('retryAfterMs', () => {
  it.each([undefined, '', 'soon', '-1', '1.5', '5s', 'Sometime, maybe', '9'.repeat(400)])(
    'does not take %j',
    (header) => {
      expect(retryAfterMs(header, NOW)).toBeUndefined();
    },
  );
  it.each([' 5 ', '5'])('takes %j', (header) => {
    expect(retryAfterMs(header, NOW)).toBe(5000);
  });
});
