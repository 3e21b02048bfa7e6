/** What `mx2s bench` measured: the JSON objects, and the same for people. */
import type { Bucket } from '../../bench/histogram.js';
import type { End } from '../../bench/load.js';
import { escapeText } from '../escape.js';
import type { Palette } from '../palette.js';

/** What is told of every run. Times are milliseconds, to the microsecond. */
interface Run {
  readonly v: 1;
  /** Why it ended. */
  readonly ended: End;
  readonly elapsed_ms: number;
  /** How many a second, over `elapsed_ms`. */
  readonly rate: number;
}

/** What is told of a run that measured how long each took. */
export interface TimedRun extends Run {
  /** How many there were to be. */
  readonly count: number;
  readonly concurrency: number;
  /** At most so many a second were asked for; not there where it went as fast as it could. */
  readonly rate_limit?: number;
  /** Not there when nothing was done. */
  readonly latency_ms?: LatencyMs;
  readonly histogram?: HistogramResult;
}

export interface LatencyMs {
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface HistogramResult {
  /** How far a percentile may be off, in parts of it. */
  readonly relative_error: number;
  /** Those that hold something, shortest first. */
  readonly buckets: readonly BucketResult[];
}

export interface BucketResult {
  /** Milliseconds. */
  readonly upto_ms: number;
  readonly count: number;
}

/** `bench send`: latency is that of each request. */
export interface SendBenchResult extends TimedRun {
  readonly bench: 'send';
  readonly homeserver: string;
  readonly to: string;
  readonly device: string;
  readonly type: string;
  readonly accepted: number;
  readonly failed: number;
  /** Under way when it ended, so that nobody knows. */
  readonly unanswered: number;
}

/** `bench listen`: latency is from the begin of the request to when the event was read. */
export interface ListenBenchResult extends TimedRun {
  readonly bench: 'listen';
  readonly homeserver: string;
  readonly from: string;
  readonly to: string;
  readonly device: string;
  readonly type: string;
  readonly accepted: number;
  readonly failed: number;
  readonly unanswered: number;
  readonly received: number;
  /** Accepted, and not read in time. */
  readonly missing: number;
}

/** `bench serve`: latency is that of a round, sendToDevice and sync. */
export interface ServeBenchResult extends TimedRun {
  readonly bench: 'serve';
  readonly rounds: number;
  readonly failed: number;
  readonly unanswered: number;
  readonly requests_per_round: number;
}

/** `bench validate`. */
export interface ValidateBenchResult extends Run {
  readonly bench: 'validate';
  readonly source: 'generated' | 'file' | 'stdin';
  readonly kind: string;
  readonly grammar: string;
  readonly total: number;
  readonly valid: number;
  readonly invalid: number;
  readonly bytes: number;
}

/** The JSON object of `bench`. */
export type BenchResult = SendBenchResult | ListenBenchResult | ServeBenchResult | ValidateBenchResult;

/**
 * For people: what was done and how fast, how long it took, and a picture of that. No last line end.
 * @param rows the picture: buckets one beside the other, empty ones too
 */
export function renderBench(result: BenchResult, rows: readonly Bucket[], palette: Palette): string {
  const lines = [head(result, palette)];
  if (result.bench !== 'validate' && result.latency_ms !== undefined) {
    lines.push(
      renderLatency(result.latency_ms, LATENCY_OF[result.bench], palette),
      '',
      ...renderRows(rows, palette),
    );
  }
  return lines.join('\n');
}

function head(result: BenchResult, palette: Palette): string {
  const seconds = `${(result.elapsed_ms / 1000).toFixed(2)} s`;
  const rate = palette.strong(`${renderRate(result.rate)}/s`);
  const asked =
    'rate_limit' in result && result.rate_limit !== undefined ? ` (at most ${result.rate_limit}/s)` : '';
  switch (result.bench) {
    case 'send': {
      const to = palette.name(escapeText(result.to));
      return `${result.accepted} of ${result.count} messages to ${to} accepted in ${seconds}: ${rate}${asked}${leftOver(result)}`;
    }
    case 'listen': {
      const to = palette.name(escapeText(result.to));
      const missing = result.missing === 0 ? '' : `, ${palette.bad(`${result.missing} did not come`)}`;
      return `${result.received} of ${result.count} messages read by ${to} in ${seconds}: ${rate}${asked}${leftOver(result)}${missing}`;
    }
    case 'serve':
      return `${result.rounds} of ${result.count} rounds over ${result.concurrency} connection${result.concurrency === 1 ? '' : 's'} in ${seconds}: ${rate}${asked}${leftOver(result)}`;
    case 'validate':
      return `${result.total} identifiers (${result.valid} valid, ${result.invalid} not) in ${seconds}: ${rate}`;
  }
}

function leftOver({ failed, unanswered }: Pick<SendBenchResult, 'failed' | 'unanswered'>): string {
  return [
    ...(failed === 0 ? [] : [`, ${failed} failed`]),
    ...(unanswered === 0 ? [] : [`, ${unanswered} unanswered`]),
  ].join('');
}

function renderLatency({ min, p50, p90, p99, max }: LatencyMs, what: string, palette: Palette): string {
  const figures = Object.entries({ min, p50, p90, p99, max });
  const shown = figures.map(([name, ms]) => `${palette.faint(name)} ${renderMs(ms)}`);
  return `${what}: ${shown.join('  ')}  ms`;
}

/** A row for each bucket, the fullest as long as there is room. */
function renderRows(rows: readonly Bucket[], palette: Palette): string[] {
  const ends = rows.map(({ uptoMs }) => renderMs(uptoMs));
  const [endWidth, most] = [
    Math.max(...ends.map((end) => end.length)),
    Math.max(...rows.map(({ count }) => count)),
  ];
  return rows.map(({ count }, row) => {
    const cells = Math.ceil((count / most) * BAR_CELLS);
    const end = palette.faint(`≤ ${(ends[row] ?? '').padStart(endWidth)} ms`);
    return `${end}  ${'#'.repeat(cells).padEnd(BAR_CELLS)}  ${count}`;
  });
}

/** Three digits that count. */
function renderMs(ms: number): string {
  return ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

function renderRate(rate: number): string {
  return rate < 100 ? rate.toFixed(1) : String(Math.round(rate));
}

const LATENCY_OF = {
  send: 'each request took',
  listen: 'from send to read',
  serve: 'each round took',
} as const;
const BAR_CELLS = 40;
