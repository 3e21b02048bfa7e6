/** How long a sync may wait. */
import { invalidParam } from '../../refusal.js';

/**
 * Milliseconds from a query parameter or a body; 0 when there is none. What is longer than five minutes is cut: an
 * answer may come earlier than asked for, and timers have an end.
 *
 * @throws Refusal 400 `M_INVALID_PARAM` when it is no whole number
 */
export function parseTimeoutMs(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d+$/.test(text)) throw invalidParam('timeout is no whole number of milliseconds');
  return Math.min(Number(text), MAX_TIMEOUT_MS);
}

const MAX_TIMEOUT_MS = 5 * 60_000;
