/**
 * Durations, counted in logarithmic buckets: what is kept is the same few kilobytes however many come, and every
 * percentile is right to within one part in a hundred. Pure.
 *
 * Each bucket ends at GAMMA times where the one before it ends, so that a value in the middle of it, as ratios go, is
 * off by RELATIVE_ERROR at most, whatever the bucket holds.
 */

/** A bucket that is not empty. */
export interface Bucket {
  /** Milliseconds. It holds what is longer than the bucket before it allows, up to this. */
  readonly uptoMs: number;
  readonly count: number;
}

/** What is told of many durations, in milliseconds. `minMs`, `meanMs` and `maxMs` are exact. */
export interface Summary {
  readonly minMs: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class Histogram {
  readonly #counts = new Float64Array(BUCKET_COUNT);
  #count = 0;
  #sumMs = 0;
  #minMs = Infinity;
  #maxMs = 0;

  /** How many durations were added. */
  get count(): number {
    return this.#count;
  }

  /** Adds a duration; one below zero counts as zero. */
  add(durationMs: number): void {
    const ms = Math.max(0, durationMs);
    const index = bucketOf(ms);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += ms;
    this.#minMs = Math.min(this.#minMs, ms);
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /**
   * The duration that `share` of all do not exceed, by nearest rank, right to within `RELATIVE_ERROR` from a microsecond
   * to an hour. Undefined when there is none.
   *
   * @param share above 0, at most 1
   */
  percentileMs(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let index = 0;
    for (let seen = this.#counts[0] ?? 0; seen < rank; seen += this.#counts[index] ?? 0) index += 1;
    return Math.min(this.#maxMs, Math.max(this.#minMs, middleMs(index)));
  }

  /** Undefined when nothing was added. */
  summary(): Summary | undefined {
    const [p50Ms, p90Ms, p99Ms] = [0.5, 0.9, 0.99].map((share) => this.percentileMs(share));
    if (p50Ms === undefined || p90Ms === undefined || p99Ms === undefined) return undefined;
    const meanMs = this.#sumMs / this.#count;
    return { minMs: this.#minMs, meanMs, p50Ms, p90Ms, p99Ms, maxMs: this.#maxMs };
  }

  /** The buckets that hold something, shortest durations first. */
  buckets(): Bucket[] {
    return [...this.#counts].flatMap((count, index) =>
      count === 0 ? [] : [{ uptoMs: endMs(index), count }],
    );
  }

  /** The same in `rows` buckets at most, each as wide as the others as ratios go, with the empty ones between them. */
  rows(rows: number): Bucket[] {
    const first = this.#counts.findIndex((count) => count > 0);
    const last = this.#counts.findLastIndex((count) => count > 0);
    if (first === -1) return [];
    const width = Math.ceil((last - first + 1) / rows);
    return Array.from({ length: Math.ceil((last - first + 1) / width) }, (_, row) => {
      const start = first + row * width;
      const counts = this.#counts.subarray(start, start + width);
      return { uptoMs: endMs(start + width - 1), count: counts.reduce((sum, count) => sum + count, 0) };
    });
  }
}

function bucketOf(ms: number): number {
  if (ms <= FIRST_END_MS) return 0;
  return Math.min(BUCKET_COUNT - 1, Math.ceil(Math.log(ms / FIRST_END_MS) / LOG_GAMMA));
}

function endMs(index: number): number {
  return FIRST_END_MS * GAMMA ** index;
}

/** As far from the longest that the bucket holds as from the shortest, in parts of each. */
function middleMs(index: number): number {
  return (endMs(index) * 2) / (1 + GAMMA);
}

/** How far a percentile may be off, in parts of it. */
export const RELATIVE_ERROR = 0.01;
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);
/** A clock tells no less. */
const FIRST_END_MS = 0.001;
/** What takes longer lies in the last bucket. */
const LONGEST_MS = 3_600_000;
const BUCKET_COUNT = 1 + Math.ceil(Math.log(LONGEST_MS / FIRST_END_MS) / LOG_GAMMA);
