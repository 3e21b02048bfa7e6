/** What `docs/performance.json` holds. */
import type { Row } from './row.js';
import type { Ratio, Summary } from './statistics.js';

export interface Report {
  readonly v: 1;
  /** When the first row was begun. */
  readonly measured_at: string;
  readonly machine: Machine;
  /** Of mx2s and Node. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly MeasuredRow[];
}

export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memory_gib: number;
  readonly system: string;
}

/** A row, and what came of it. */
export type MeasuredRow = RowFacts & (Figures | Missing);

export type RowFacts = Pick<Row, 'id' | 'work' | 'peer' | 'compared' | 'reach'>;

/** A wall time and a latency are in milliseconds, a rate is per second. */
export interface Figures {
  /** Program or package → version, of all that took part but mx2s and Node. */
  readonly with: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly ours: Summary;
  readonly theirs: Summary;
  /** Ours / theirs. */
  readonly ratio: Ratio;
  /** Who is the limit / theirs. */
  readonly limit_ratio?: Ratio | undefined;
  /** Of the last minute, when the row was done. */
  readonly load_average: number;
}

export interface Missing {
  /** What this machine does not have. */
  readonly missing: string;
}

export function isMeasured(row: MeasuredRow): row is RowFacts & Figures {
  return 'ratio' in row;
}
