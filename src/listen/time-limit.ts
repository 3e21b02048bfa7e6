/** Work that ends with the clock. */
import type { Clock } from '../clock.js';

export interface TimeLimit {
  readonly clock: Clock;
  /** On the monotonic clock; infinite for no limit. */
  readonly deadlineMs: number;
  /** Ends the work before the clock does. */
  readonly signal: AbortSignal;
}

/** The reason given when the time ran out. */
export class TimeUp extends Error {
  override readonly name = 'TimeUp';
}

/**
 * Does `work` with a signal that aborts at the deadline, or when the given one does. Nothing of it stays behind:
 * no timer, and no listener on a signal that may live for months.
 *
 * @throws TimeUp at the deadline, the signal's reason, or what `work` throws
 */
export async function withinTime<T>(limit: TimeLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, deadlineMs, signal } = limit;
  signal.throwIfAborted();
  if (deadlineMs === Infinity) return work(signal);

  const stop = new AbortController();
  const pass = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', pass, { once: true });
  void abortAt(deadlineMs, clock, stop);
  try {
    stop.signal.throwIfAborted(); // the deadline may have passed already
    return await work(stop.signal);
  } finally {
    signal.removeEventListener('abort', pass);
    stop.abort();
  }
}

/**
 * Waits for `work` that cannot be stopped, like a write that nobody reads: after the signal for `graceMs` only.
 * @throws the signal's reason when the grace is over, or what `work` throws
 */
export async function unlessStopped<T>(
  work: Promise<T>,
  { clock, signal, graceMs }: Pick<TimeLimit, 'clock' | 'signal'> & { readonly graceMs: number },
): Promise<T> {
  let grace: AbortController | undefined; // made only where it is needed: this waits for every line that is printed
  let onAbort: (() => void) | undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    onAbort = (): void => {
      const giveUp = (): void => reject(signal.reason as Error);
      grace = new AbortController();
      clock.sleep(graceMs, grace.signal).then(giveUp, () => undefined);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    grace?.abort();
  }
}

/** A clock may sleep for less than it was asked to (a timer has a longest time), hence the loop. */
async function abortAt(deadlineMs: number, clock: Clock, stop: AbortController): Promise<void> {
  try {
    for (let leftMs = deadlineMs - clock.monotonic(); leftMs > 0; leftMs = deadlineMs - clock.monotonic()) {
      await clock.sleep(leftMs, stop.signal);
    }
    stop.abort(new TimeUp('the time ran out'));
  } catch {
    // the work ended first
  }
}

/** How long a write that was begun may take after the signal, which is answered within two seconds. */
export const PRINT_GRACE_MS = 500;
