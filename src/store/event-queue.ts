/** The queue of one device: put in at its end, taken from its front, each at the same cost however long it is. */
import type { QueuedEvent } from './store.js';

export class EventQueue {
  /** In order of position. Those before `#start` were dropped. */
  #events: (QueuedEvent | undefined)[] = [];
  #start = 0;

  /** Adds an event of a higher position than all before it. */
  push(event: QueuedEvent): void {
    this.#events.push(event);
  }

  /** The oldest events after a position, at most `limit`. */
  after(position: number, limit: number): QueuedEvent[] {
    const start = this.#firstAfter(position);
    return this.#events.slice(start, start + limit).filter((event) => event !== undefined);
  }

  /** Drops the events up to and including a position. */
  dropUpTo(position: number): void {
    const start = this.#firstAfter(position);
    this.#events.fill(undefined, this.#start, start);
    this.#start = start;
    // moved when as many stay as go, at most: so each event is moved once, on the average
    if (start * 2 < this.#events.length) return;
    this.#events = this.#events.slice(start);
    this.#start = 0;
  }

  /** The index of the first event after a position. */
  #firstAfter(position: number): number {
    let low = this.#start;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.position ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
