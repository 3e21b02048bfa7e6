import type { Clock } from '../../src/clock.js';

/** A clock whose waits pass at once and are written down. */
export class TurnedClock implements Clock {
  readonly slept: number[] = [];
  #nowMs: number;

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    this.slept.push(ms);
    this.#nowMs += ms;
    return Promise.resolve();
  }
}
