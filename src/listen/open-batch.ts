/**
 * A batch that is being handed over, and how far. Pure.
 *
 * @see Client-Server API v1.19, "Extensions to /sync": only the next `since` acknowledges, and it acknowledges
 *   the whole batch. So a stop inside a batch has to be remembered on our side.
 */
import { digestOf, nextDigest, type Position } from '../config/position.js';
import type { ToDeviceEvent } from '../wire/sync.js';

/** What one sync gave. */
export interface Batch {
  readonly events: readonly ToDeviceEvent[];
  /** Given as `since`, it acknowledges the batch; undefined when the old one stays good. */
  readonly nextBatch: string | undefined;
  /** Items beside the events that are no events at all. */
  readonly malformedCount: number;
}

/** A batch, what of it was handed over, and the position that follows from both. */
export class OpenBatch {
  readonly #asked: Position;
  readonly #batch: Batch;
  #consumed: number;
  #digest: string | undefined;

  /** Opens the batch that was asked for with the `since` of `asked`. */
  constructor(asked: Position, batch: Batch) {
    this.#asked = asked;
    this.#batch = batch;
    this.#consumed = alreadyHandedOver(asked, batch.events);
    this.#digest = this.#consumed === 0 ? undefined : asked.digest;
  }

  /** The server had nothing: there is nothing to acknowledge. */
  get isEmpty(): boolean {
    return this.#batch.events.length === 0 && this.malformedCount === 0;
  }

  get malformedCount(): number {
    return this.#batch.malformedCount;
  }

  /** Everything was handed over: the position has left the batch. */
  get isDone(): boolean {
    return this.#consumed === this.#batch.events.length;
  }

  /** What was not handed over yet, in order. */
  get waiting(): readonly ToDeviceEvent[] {
    return this.#batch.events.slice(this.#consumed);
  }

  /** Where we stand. After the last event that is the token of the next batch. */
  get position(): Position {
    const { api, since } = this.#asked;
    return this.isDone
      ? { api, since: this.#batch.nextBatch ?? since, consumed: 0 }
      : { api, since, consumed: this.#consumed, digest: this.#digest };
  }

  /** Counts the next `count` events as handed over. */
  advance(count: number): void {
    const events = this.#batch.events.slice(this.#consumed, this.#consumed + count);
    this.#consumed += events.length;
    // a digest is needed only where a batch is left in the middle
    if (!this.isDone) this.#digest = events.reduce<string | undefined>(nextDigest, this.#digest);
  }
}

/**
 * How many events of the batch were handed over by an earlier run: as many as its position says, if these are
 * the same events. If not, or if the batch has fewer now, none: to repeat is allowed, to lose is not.
 */
function alreadyHandedOver({ consumed, digest }: Position, events: readonly ToDeviceEvent[]): number {
  if (consumed > events.length) return 0;
  return digestOf(events.slice(0, consumed)) === digest ? consumed : 0;
}
