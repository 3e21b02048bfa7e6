/**
 * Whether an exchange that failed is tried again, and how long to wait before. Pure: nothing here waits.
 *
 * @see Client-Server API v1.19, "Rate limiting"; RFC 9110 section 10.2.3, "Retry-After"
 */
import { NetworkError } from '../errors.js';
import { parseMatrixError } from '../wire/matrix-error.js';
import { UnsentError } from './network-error.js';
import type { Answer, HttpRequest } from './request.js';

/** What one exchange came to: an answer of any status, or what was thrown in its place. */
export type Outcome = { readonly answer: Answer } | { readonly error: unknown };

export interface RetryPolicy {
  /** How often a failure other than a rate limit is tried again. */
  readonly retries: number;
  /** How long rate limits may delay one request, all its waits together. */
  readonly maxWaitMs: number;
}

/** What one request has been through so far. */
export interface RetryState {
  readonly failures: number;
  readonly limits: number;
  readonly limitedWaitMs: number;
}

/** What follows an outcome. */
export type Decision =
  /** The outcome is the result. */
  | { readonly kind: 'done' }
  /** Wait, then send the same request again. */
  | { readonly kind: 'again'; readonly delayMs: number; readonly reason: string; readonly state: RetryState }
  /** The server asks for more patience than the policy has. */
  | { readonly kind: 'limited'; readonly retryAfterMs: number };

/** The state of a request that was not sent yet. */
export const FRESH: RetryState = { failures: 0, limits: 0, limitedWaitMs: 0 };

export interface RetryQuestion {
  readonly outcome: Outcome;
  readonly request: Pick<HttpRequest, 'retry' | 'expectsObject'>;
  readonly policy: RetryPolicy;
  readonly state: RetryState;
  /** The time of day, in milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** Chance: a number in [0, 1). */
  readonly fraction: number;
}

/**
 * Decides what follows an outcome.
 *
 * A rate limit is a refusal, nothing was done: it may be waited for in mode `unsent` too. Any other failure is
 * repeated in that mode only if the request never left.
 */
export function decideRetry(question: RetryQuestion): Decision {
  const { outcome, request, policy, state, nowMs, fraction } = question;
  const mode = request.retry ?? 'safe';
  if (mode === 'never') return DONE;
  if ('answer' in outcome && isRateLimit(outcome.answer)) return decideLimit(question, outcome.answer);

  const repeatable = mode === 'safe' || ('error' in outcome && outcome.error instanceof UnsentError);
  const reason = passingFault(outcome) ?? shapeFault(question);
  if (!repeatable || reason === undefined || state.failures >= policy.retries) return DONE;

  const askedMs = 'answer' in outcome ? (retryAfterMs(outcome.answer.headers['retry-after'], nowMs) ?? 0) : 0;
  return {
    kind: 'again',
    delayMs: Math.max(backoffMs(state.failures, fraction), Math.min(askedMs, MAX_BACKOFF_MS)),
    reason,
    state: { ...state, failures: state.failures + 1 },
  };
}

/** Full jitter over 1 s × 2^n, never above 60 s. `attempt` counts from 0. */
export function backoffMs(attempt: number, fraction: number): number {
  return Math.round(fraction * Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt));
}

/** How long a `Retry-After` header asks to wait: seconds or an HTTP date. Undefined if it is neither. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  // only a date has a weekday; Date.parse would also read "5.5" and "-1" as one
  const dateMs = /^[A-Z][a-z]+, /.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

/**
 * The server says how long to wait, and is believed the first time. When it says so again for the same request, the
 * waits grow as those after failures do, but never so that we give up where its own wait would have fitted.
 */
function decideLimit({ policy, state, nowMs, fraction }: RetryQuestion, answer: Answer): Decision {
  const saidMs =
    retryAfterMs(answer.headers['retry-after'], nowMs) ?? parseMatrixError(answer.body).retryAfterMs;
  const askedMs = Math.max(MIN_LIMIT_WAIT_MS, saidMs ?? 0);
  const leftMs = policy.maxWaitMs - state.limitedWaitMs;
  if (askedMs > leftMs) return { kind: 'limited', retryAfterMs: askedMs };
  const isBelieved = saidMs !== undefined && state.limits === 0;
  const growingMs = isBelieved ? 0 : Math.min(backoffMs(state.limits, fraction), leftMs);
  const delayMs = Math.max(askedMs, growingMs);
  return {
    kind: 'again',
    delayMs,
    reason: 'rate limited',
    state: { ...state, limits: state.limits + 1, limitedWaitMs: state.limitedWaitMs + delayMs },
  };
}

/** Trust `errcode` over the status. */
function isRateLimit({ status, body }: Answer): boolean {
  return status === 429 || (status >= 400 && parseMatrixError(body).errcode === 'M_LIMIT_EXCEEDED');
}

/** Why an outcome may be different next time, or undefined when it will not. */
function passingFault(outcome: Outcome): string | undefined {
  if ('answer' in outcome) {
    const { status } = outcome.answer;
    const passing = PASSING_STATUSES.has(status) || (status >= 520 && status <= 529);
    return passing ? `status ${String(status)}` : undefined;
  }
  const { error } = outcome;
  return error instanceof NetworkError && error.retryable ? error.message : undefined;
}

/** A page with status 200 gets one more chance; what it is then, it is. */
function shapeFault({ outcome, request, state }: RetryQuestion): string | undefined {
  if (request.expectsObject !== true || state.failures > 0 || !('answer' in outcome)) return undefined;
  const { status, body } = outcome.answer;
  const text = body.trim();
  const isObject = text.startsWith('{') && text.endsWith('}');
  return status >= 200 && status < 300 && !isObject ? 'an answer that is no JSON object' : undefined;
}

const DONE: Decision = { kind: 'done' };
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 500, 502, 503, 504]);
const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;
/** A server that says "at once" is not asked in a tight loop. */
const MIN_LIMIT_WAIT_MS = 100;
