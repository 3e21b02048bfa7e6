/** How often each sender may address the server. */
import type { Clock } from '../clock.js';

export interface RateLimit {
  /** Lets one message through and gives 0, or gives how many milliseconds to wait. */
  take(sender: string): number;
}

/** Allows `perSecond` in the long run, and at once as many as one second would. */
export function createRateLimit(perSecond: number, clock: Clock): RateLimit {
  const intervalMs = 1000 / perSecond;
  const toleranceMs = Math.max(0, 1000 - intervalMs);
  /** When the messages let through would have been over, had they come at an even pace. */
  const paidUntilMs = new Map<string, number>();
  return {
    take(sender) {
      const nowMs = clock.monotonic();
      if (paidUntilMs.size > MAX_SENDERS) forgetPaid(paidUntilMs, nowMs);
      const untilMs = Math.max(nowMs, paidUntilMs.get(sender) ?? nowMs);
      const waitMs = untilMs - nowMs - toleranceMs;
      if (waitMs > 0) return Math.ceil(waitMs);
      paidUntilMs.set(sender, untilMs + intervalMs);
      return 0;
    },
  };
}

function forgetPaid(paidUntilMs: Map<string, number>, nowMs: number): void {
  for (const [sender, untilMs] of paidUntilMs) if (untilMs <= nowMs) paidUntilMs.delete(sender);
}

const MAX_SENDERS = 10_000;
