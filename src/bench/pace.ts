/** When the next message is due. */
import type { Clock } from '../clock.js';

export interface Pace {
  /** How many numbers there are. */
  readonly count: number;
  /** Infinite for as fast as they are taken. */
  readonly ratePerSecond: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * The numbers from 1 to `count`, each when it is due; it ends when a further one would be. Who is late does not make up for it: what was promised is that
 * there are no more than so many a second, and a server that has just recovered is not to be flooded.
 *
 * @throws the signal's reason, out of a wait
 */
export async function* paced({
  count,
  ratePerSecond,
  clock,
  signal,
}: Pace): AsyncGenerator<readonly number[]> {
  if (ratePerSecond === Infinity) {
    for (let first = 1; first <= count; first += PORTION)
      yield numbers(first, Math.min(count, first + PORTION - 1));
    return;
  }
  let dueMs = clock.monotonic();
  for (let next = 1; next <= count; next += 1) {
    await until(dueMs, clock, signal);
    yield [next];
    dueMs = Math.max(dueMs + 1000 / ratePerSecond, clock.monotonic() - TIMER_SLACK_MS);
  }
  await until(dueMs, clock, signal);
}

/** A clock may sleep for less than it was asked to, hence the loop. */
async function until(dueMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let leftMs = dueMs - clock.monotonic(); leftMs > 0; leftMs = dueMs - clock.monotonic()) {
    await clock.sleep(leftMs, signal);
  }
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** A timer wakes late, by a millisecond or a few. So much is made up for, or no high rate would ever be reached. */
const TIMER_SLACK_MS = 20;
const PORTION = 1000;
