import { MalformedResponseError, MatrixError, NetworkError, RateLimitedError } from '../errors.js';

/** Can a failure pass by itself? An answer that makes no sense may come from a proxy whose homeserver restarts. */
export function isPassing(error: unknown): boolean {
  if (error instanceof MatrixError) return error.retryable || PASSING_STATUSES.has(error.status);
  if (error instanceof NetworkError) return error.retryable;
  return error instanceof MalformedResponseError || error instanceof RateLimitedError;
}

const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425]);
