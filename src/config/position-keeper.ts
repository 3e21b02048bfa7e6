/**
 * Stores the position of a queue while it moves.
 *
 * A rename for each step would take longer than all the rest when much comes. So a step is stored at once if the last one
 * was stored a while ago, and else together with those that follow soon. Whoever is killed meanwhile may see the last batch
 * again: that is allowed.
 *
 * What must not be is a loss. An old `since` does no harm: it gives what is not acknowledged yet. But events to skip have to
 * be those of that batch, and not of a later one that begins with the same; so a place inside a batch is never on disk when
 * that batch is acknowledged.
 */
import type { Clock } from '../clock.js';
import { writePosition, type Position } from './position.js';

/** Of one queue, for as long as it is read. */
export class PositionKeeper {
  readonly #path: string;
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  #storedAtMs = -Infinity;
  /** Is what was stored last a place inside a batch? */
  #isInsideBatch = false;
  #waiting: Position | undefined;
  #pause: AbortController | undefined;
  #failure: unknown;

  constructor(path: string, clock: Pick<Clock, 'monotonic' | 'sleep'>) {
    this.#path = path;
    this.#clock = clock;
  }

  /**
   * Stores a position, at once or within 100 ms.
   * @throws DiskError, also that of an earlier one
   */
  store(position: Position): void {
    this.#throwFailure();
    this.#waiting = position;
    const waitMs = this.#storedAtMs + STORE_EVERY_MS - this.#clock.monotonic();
    const leavesPlace = this.#isInsideBatch && position.consumed === 0;
    if (waitMs <= 0 || leavesPlace) this.#write();
    else this.#pause ??= this.#writeAfter(waitMs);
  }

  /**
   * Stores a position before it returns: for where it is worse to see an event again than to wait for the disk.
   * @throws DiskError
   */
  storeAtOnce(position: Position): void {
    this.#waiting = position;
    this.#write();
  }

  /**
   * Stores what waits.
   * @throws DiskError
   */
  close(): void {
    this.#pause?.abort();
    this.#failure = undefined; // it is told again, if the disk is not well again
    this.#write();
  }

  #writeAfter(waitMs: number): AbortController {
    const pause = new AbortController();
    this.#clock
      .sleep(waitMs, pause.signal)
      .then(() => {
        this.#pause = undefined;
        this.#write();
      })
      .catch((error: unknown) => {
        if (!pause.signal.aborted) this.#failure = error;
      });
    return pause;
  }

  #write(): void {
    if (this.#waiting === undefined) return;
    writePosition(this.#path, this.#waiting);
    this.#isInsideBatch = this.#waiting.consumed > 0;
    this.#waiting = undefined;
    this.#storedAtMs = this.#clock.monotonic();
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure as Error;
  }
}

const STORE_EVERY_MS = 100;
