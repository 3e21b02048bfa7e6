/** A line of the table: a work of ours, held against a peer that does the same. */
import type { Stage } from '../test/evidence/stage.js';

export interface Row {
  /** The number of the work, and a letter where it has several figures: `1`, `7a`. */
  readonly id: string;
  /** What is measured, as Markdown. */
  readonly work: string;
  /** Who else does it, as Markdown. */
  readonly peer: string;
  readonly compared: Compared;
  readonly reach: Reach;
  /** How many pairs are measured. */
  readonly rounds: number;
  /** What keeps it from its reach, where that is known. */
  readonly limit?: Limit | undefined;
  /** Is its ratio steady enough for the guard, and measured soon enough? */
  readonly isGuarded: boolean;
  /**
   * Starts what both need, which goes with the stage.
   * @throws MissingProgram
   */
  open(stage: Stage): Promise<Pair>;
}

export interface Limit {
  /** Who does no more than cannot be left out, and is measured, too, as Markdown; undefined where there is nobody. */
  readonly who?: string | undefined;
  /** Why it cannot be passed: sentences. */
  readonly reason: string;
}

/** What the figures of a row are; a wall time and a latency are in milliseconds, a rate is per second. */
export type Compared = 'wall time' | 'rate' | 'latency';

/** How ours may stand to the peer's. */
export type Reach = { readonly at_most: number } | { readonly at_least: number };

/** Both do the same work, and each measures itself once. */
export interface Pair {
  /** Program or package → version, of all that takes part but mx2s and Node. */
  readonly versions?: Readonly<Record<string, string>> | undefined;
  ours(): Promise<number>;
  peer(): Promise<number>;
  /** Who is the limit of the row. */
  limit?: (() => Promise<number>) | undefined;
}

/** What a row needs, and this machine does not have. */
export class MissingProgram extends Error {}
