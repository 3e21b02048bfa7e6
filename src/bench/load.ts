/**
 * Work that is done many times, at a pace and several at once, and how long each took.
 *
 * It knows nothing of messages. It is bounded by count and by time, and ends with the first failure: what is in trouble
 * is not asked again and again.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.js';
import { exitCodeOf } from '../exit-codes.js';
import { withinTime } from '../listen/time-limit.js';
import { runBatch } from '../todevice/batch.js';
import { Histogram } from './histogram.js';
import { paced } from './pace.js';

export interface LoadPlan {
  readonly count: number;
  /** How many are under way at a time. */
  readonly concurrency: number;
  /** At most so many are begun in a second; infinite for any number. */
  readonly ratePerSecond: number;
  /** What is under way then is abandoned. */
  readonly timeoutMs: number;
}

export interface Load extends LoadPlan {
  /** Does it once; `number` counts from 1. */
  work(number: number, signal: AbortSignal): Promise<void>;
  onProgress(done: number): void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What ended a run: it was done, or its time was over, or something failed, or a signal came. */
export type End = 'count' | 'time' | 'failure' | 'interrupted';

export interface LoadResult {
  readonly ended: End;
  /** How often the work was done to its end. */
  readonly done: number;
  readonly failed: number;
  /** How often it was begun and abandoned, so that nobody knows what became of it. */
  readonly abandoned: number;
  /** What the first one failed with. */
  readonly error: unknown;
  /** From the first beginning to the last end; with a rate, to the end of the last one's turn. */
  readonly elapsedMs: number;
  /** How long each took that was done. */
  readonly latency: Histogram;
}

/** @throws what is a bug; the signal's reason when it has aborted already */
export async function runLoad(load: Load): Promise<LoadResult> {
  const { concurrency, timeoutMs, clock, signal, onProgress } = load;
  const startedMs = clock.monotonic();
  const tally = { done: 0, failed: 0, abandoned: 0, error: undefined as unknown };
  const latency = new Histogram();

  const report = async (outcomes: readonly Outcome[]): Promise<void> => {
    for (const outcome of outcomes) {
      if (outcome.kind === 'done') latency.add(outcome.tookMs);
      if (outcome.kind === 'failed') tally.error ??= outcome.error;
      tally[outcome.kind] += 1;
    }
    onProgress(tally.done);
  };
  await withinTime({ clock, deadlineMs: startedMs + timeoutMs, signal }, (within) => {
    setMaxListeners(0, within); // every request in flight listens to it
    return runBatch<number, Outcome>({
      source: paced({ ...load, signal: within }),
      concurrency,
      work: (number) => workOnce(load, number, within),
      isLast: ({ kind }) => kind !== 'done',
      report,
      signal: within,
    });
  });
  return { ...tally, ended: endOf(tally, load), elapsedMs: clock.monotonic() - startedMs, latency };
}

type Outcome =
  | { readonly kind: 'done'; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'abandoned' };

async function workOnce({ work, clock }: Load, number: number, signal: AbortSignal): Promise<Outcome> {
  const begunMs = clock.monotonic();
  try {
    await work(number, signal);
    return { kind: 'done', tookMs: clock.monotonic() - begunMs };
  } catch (error) {
    if (signal.aborted) return { kind: 'abandoned' };
    if (exitCodeOf(error) === BUG) throw error;
    return { kind: 'failed', error };
  }
}

function endOf({ failed, done }: Pick<LoadResult, 'failed' | 'done'>, { count, signal }: Load): End {
  if (failed > 0) return 'failure';
  if (done === count) return 'count';
  return signal.aborted ? 'interrupted' : 'time';
}

const BUG = 70;
