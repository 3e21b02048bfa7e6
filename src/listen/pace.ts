/** How soon a server is asked again. A server that answers at once with nothing is not asked in a tight loop. */
import { backoffMs } from '../http/retry.js';

/** A long poll, and what came of it. */
export interface Poll {
  readonly timeoutMs: number;
  readonly elapsedMs: number;
  readonly isEmpty: boolean;
}

/** Counts the long polls in a row that came back early with nothing. */
export class Pace {
  #fruitless = 0;

  /** One may come early for good reasons (the first of a sliding sync does), so the pause begins with the second. */
  pauseMs(fraction: number): number {
    if (this.#fruitless < 2) return 0;
    const pauseMs = backoffMs(this.#fruitless - 2, fraction);
    return Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, pauseMs));
  }

  note({ timeoutMs, elapsedMs, isEmpty }: Poll): void {
    if (timeoutMs === 0) return; // it was to come back at once
    const isEarly = elapsedMs < Math.min(EARLY_MS, timeoutMs / 2);
    this.#fruitless = isEarly && isEmpty ? this.#fruitless + 1 : 0;
  }
}

const EARLY_MS = 1000;
const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5000;
