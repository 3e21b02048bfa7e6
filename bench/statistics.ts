/** What many figures come to. Pure. */
import type { Reach } from './row.js';

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** How ours stand to the peer's. */
export interface Ratio {
  /** Of the medians. */
  readonly of_medians: number;
  /** The least and the greatest of the rounds. */
  readonly min: number;
  readonly max: number;
}

/** @throws Error when there are no values */
export function summarize(values: readonly number[]): Summary {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** `ours[n]` and `peer[n]` were measured in the same round. */
export function compare(ours: readonly number[], peer: readonly number[]): Ratio {
  const ofRounds = ours.map((figure, round) => figure / (peer[round] ?? NaN));
  return {
    of_medians: median(ours) / median(peer),
    min: Math.min(...ofRounds),
    max: Math.max(...ofRounds),
  };
}

/** The middle one, or the mean of both. @throws Error when there are no values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const around = sorted.slice(Math.ceil(half) - 1, Math.floor(half) + 1);
  if (around.length === 0) throw new Error('there is no middle of nothing');
  return around.reduce((sum, each) => sum + each, 0) / around.length;
}

/** How many times better than its reach a ratio is: from 1 on it is reached, whichever way it goes. */
export function margin(ratio: number, reach: Reach): number {
  return 'at_most' in reach ? reach.at_most / ratio : ratio / reach.at_least;
}
