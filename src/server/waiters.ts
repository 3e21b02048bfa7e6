/** Who waits for a device's queue to grow: the long polls. */
import type { DeviceRef } from '../store/store.js';

/** Why a wait ended: something came, or nothing ever will. */
export type Woken = 'grown' | 'over';

export interface Waiter {
  readonly woken: Promise<Woken>;
  leave(): void;
}

export class Waiters {
  readonly #waiting = new Map<string, Set<(woken: Woken) => void>>();
  #closed = false;

  /** Begins to wait. Enter before you look at the queue, or what comes in between is missed. */
  enter(device: DeviceRef): Waiter {
    const key = keyOf(device);
    const { promise, resolve } = withResolvers<Woken>();
    if (this.#closed) resolve('over');
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(resolve));
    return {
      woken: promise,
      leave: () => {
        waiting.delete(resolve);
        if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
      },
    };
  }

  wake(device: DeviceRef, woken: Woken = 'grown'): void {
    for (const resolve of this.#waiting.get(keyOf(device)) ?? []) resolve(woken);
  }

  /** True when every wait was ended for good. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Ends every wait, now and later. */
  close(): void {
    this.#closed = true;
    for (const waiting of this.#waiting.values()) for (const resolve of waiting) resolve('over');
  }
}

/** NUL stands in no user ID (Matrix v1.19, Appendices, "Historical User IDs"), so the key is unambiguous. */
function keyOf({ userId, deviceId }: DeviceRef): string {
  return `${userId}\0${deviceId}`;
}

function withResolvers<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve };
}
