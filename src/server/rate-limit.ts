/** How often each sender may address the server: a bucket of tokens each. */
import type { Clock } from '../clock.js';

export interface RateLimit {
  /** Takes one token; gives how long to wait when there is none, else 0. */
  take(sender: string): number;
}

/** Allows `perSecond` in the long run, and as many at once as fit into one second. */
export function createRateLimit(perSecond: number, clock: Clock): RateLimit {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  const capacity = Math.max(1, perSecond);
  const fullAfterMs = (capacity / perSecond) * 1000;
  return {
    take(sender) {
      const nowMs = clock.monotonic();
      if (buckets.size > MAX_BUCKETS) forgetFull(buckets, nowMs - fullAfterMs);
      const { tokens, atMs } = buckets.get(sender) ?? { tokens: capacity, atMs: nowMs };
      const filled = Math.min(capacity, tokens + ((nowMs - atMs) / 1000) * perSecond);
      const allowed = filled >= 1;
      buckets.set(sender, { tokens: allowed ? filled - 1 : filled, atMs: nowMs });
      return allowed ? 0 : Math.ceil(((1 - filled) / perSecond) * 1000);
    },
  };
}

function forgetFull(buckets: Map<string, { atMs: number }>, beforeMs: number): void {
  for (const [sender, { atMs }] of buckets) if (atMs <= beforeMs) buckets.delete(sender);
}

const MAX_BUCKETS = 10_000;
