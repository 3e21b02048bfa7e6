/** What the kinds of `mx2s bench` have in common: the notice before, the count meanwhile, the result, and how it ends. */
import { RELATIVE_ERROR, type Histogram } from '../bench/histogram.js';
import type { End } from '../bench/load.js';
import { DeadlineError, RateLimitedError } from '../errors.js';
import type { ExitCode } from '../exit-codes.js';
import { renderBar, startProgress } from '../ui/progress.js';
import { renderBench, type BenchResult, type TimedRun } from '../ui/render/bench.js';
import type { BenchPlan } from './bench-options.js';
import type { Context } from './context.js';

/** The bounds of a run in words: `10 a second at most, 1 at a time, for 60 s at most`. */
export function boundsOf({ concurrency, ratePerSecond, timeoutMs }: BenchPlan): string {
  const rate = ratePerSecond === Infinity ? 'as fast as it goes' : `${ratePerSecond} a second at most`;
  return `${rate}, ${concurrency} at a time, for ${timeoutMs / 1000} s at most`;
}

/** Does `work` with a bar below the talk, where there is one, that shows how many of `count` are done. */
export async function withProgress<T>(
  { talk, env, globals, clock }: Context,
  count: number,
  work: (onProgress: (done: number) => void) => Promise<T>,
): Promise<T> {
  const startedMs = clock.monotonic();
  const bar = (done: number): string => renderBar(done, done / count, startedMs, clock);
  const progress = await startProgress(talk, {
    inCi: Boolean(env['CI']),
    quiet: globals.quiet,
    text: bar(0),
  });
  try {
    return await work((done) => progress.update(bar(done)));
  } finally {
    progress.stop();
  }
}

/**
 * The part of a result that every run has whose work is timed one by one.
 * @param latency of all that was done, which says how many that were
 */
export function timedPart(
  { count, concurrency, ratePerSecond }: BenchPlan,
  {
    ended,
    elapsedMs,
    latency,
  }: { readonly ended: End; readonly elapsedMs: number; readonly latency: Histogram },
): Omit<TimedRun, 'v'> {
  const summary = latency.summary();
  return {
    count,
    concurrency,
    ...(ratePerSecond === Infinity ? {} : { rate_limit: ratePerSecond }),
    ended,
    elapsed_ms: rounded(elapsedMs),
    rate: rateOf(latency.count, elapsedMs),
    ...(summary && {
      latency_ms: {
        min: rounded(summary.minMs),
        mean: rounded(summary.meanMs),
        p50: rounded(summary.p50Ms),
        p90: rounded(summary.p90Ms),
        p99: rounded(summary.p99Ms),
        max: rounded(summary.maxMs),
      },
      histogram: {
        relative_error: RELATIVE_ERROR,
        buckets: latency.buckets().map(({ uptoMs, count }) => ({ upto_ms: rounded(uptoMs), count })),
      },
    }),
  };
}

/** How many a second. */
export function rateOf(done: number, elapsedMs: number): number {
  return elapsedMs === 0 ? 0 : rounded((done * 1000) / elapsedMs);
}

/** Milliseconds to the microsecond: no clock of ours tells more. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Prints a result. */
export function print({ out }: Context, result: BenchResult, latency?: Histogram): Promise<void> {
  return out.result(result, (palette) => renderBench(result, latency?.rows(MAX_ROWS) ?? [], palette));
}

/**
 * What a run comes to whose result is printed.
 * @throws what ended it before its goal
 */
export function conclude(
  { signal, talk }: Context,
  { isGoal, count, timeoutMs }: Pick<BenchPlan, 'isGoal' | 'count' | 'timeoutMs'>,
  { ended, done, error }: { readonly ended: End; readonly done: number; readonly error: unknown },
): ExitCode {
  switch (ended) {
    case 'count':
      return 0;
    case 'interrupted':
      throw signal.reason;
    case 'failure':
      if (error instanceof RateLimitedError)
        talk.notice('the homeserver limits the rate: ask for less with --rate');
      throw error;
    case 'time':
      if (!isGoal) return 0;
      throw new DeadlineError(timeoutMs, `${done} of ${count} were done before the time was up (--timeout)`, {
        hint: 'allow more time with --timeout, or ask for less with --count',
      });
  }
}

const MAX_ROWS = 12;
