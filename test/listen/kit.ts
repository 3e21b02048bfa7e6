/** A clock and a queue that a test turns by hand. */
import { EventEmitter, once } from 'node:events';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Clock } from '../../src/clock.js';
import type { Position } from '../../src/config/position.js';
import { parseServerName } from '../../src/ids/server-name.js';
import type { BatchRequest, BatchSource } from '../../src/listen/batch-source.js';
import type { Batch } from '../../src/listen/open-batch.js';
import { QueueReader, startOf, type QueueReaderOptions } from '../../src/listen/queue-reader.js';
import type { ToDeviceEvent } from '../../src/wire/sync.js';
import type { JsonText } from '../../src/wire/json.js';

export const OWN_SERVER = parseServerName('example.org');

/** An event from a server user, told from others by its number. */
export function eventOf(n: number, sender = '@:example.org'): ToDeviceEvent {
  return { sender, type: 'org.example.a', content: `{"n":${n}}` as JsonText };
}

export function eventsOf(...numbers: readonly number[]): ToDeviceEvent[] {
  return numbers.map((n) => eventOf(n));
}

/** The numbers that `eventOf` was given. */
export function numbersOf(events: readonly ToDeviceEvent[]): number[] {
  return events.map(({ content }) => (JSON.parse(content) as { n: number }).n);
}

/** Time passes only when it is told to. */
export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  readonly #changes = new EventEmitter();

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const sleeper = {
        untilMs: this.#nowMs + ms,
        wake: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      const abort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.add(sleeper);
      this.#changes.emit('sleep');
    });
  }

  get sleeperCount(): number {
    return this.#sleepers.size;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.untilMs > this.#nowMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  /** Resolves when somebody sleeps and nobody has anything else to do, with how long at the least. */
  async sleeping(): Promise<number> {
    await immediate();
    while (this.#sleepers.size === 0) {
      await once(this.#changes, 'sleep');
      await immediate();
    }
    return Math.min(...[...this.#sleepers].map(({ untilMs }) => untilMs - this.#nowMs));
  }
}

/** A homeserver's queue: `since` acknowledges, at most `limit` events come at a time, an empty poll waits. */
export class FakeQueue implements BatchSource {
  readonly api = 'v3';
  readonly requests: BatchRequest[] = [];
  /** How many events were acknowledged. */
  acknowledged = 0;
  limit = 100;
  malformedCount = 0;
  /** Thrown by the next requests, one each. */
  readonly failures: unknown[] = [];
  readonly #events: ToDeviceEvent[] = [];
  readonly #changes = new EventEmitter();

  push(...events: readonly ToDeviceEvent[]): void {
    this.#events.push(...events);
    this.#changes.emit('push');
  }

  /** Resolves when a request waits for an event. */
  async polled(): Promise<void> {
    await once(this.#changes, 'poll');
  }

  async read(request: BatchRequest, signal: AbortSignal): Promise<Batch> {
    this.requests.push(request);
    signal.throwIfAborted();
    if (this.failures.length > 0) throw this.failures.shift();
    if (request.since !== undefined) {
      this.acknowledged = Math.max(this.acknowledged, Number(request.since.slice(1)));
    }
    if (request.timeoutMs > 0 && this.#events.length === this.acknowledged) {
      const arrival = once(this.#changes, 'push', { signal });
      this.#changes.emit('poll');
      await arrival.catch(() => signal.throwIfAborted());
    }
    const events = this.#events.slice(this.acknowledged, this.acknowledged + this.limit);
    const { malformedCount } = this;
    this.malformedCount = 0;
    return { events, nextBatch: `s${this.acknowledged + events.length}`, malformedCount };
  }
}

export interface ReaderKit {
  readonly reader: QueueReader;
  readonly clock: ManualClock;
  /** What was stored, oldest first. */
  readonly stored: Position[];
  /** What was told of the line. */
  readonly told: string[];
}

export function readerOf(source: BatchSource, options: Partial<QueueReaderOptions> = {}): ReaderKit {
  const clock = new ManualClock();
  const stored: Position[] = [];
  const told: string[] = [];
  const reader = new QueueReader({
    source,
    start: startOf('v3'),
    retries: 0,
    maxOfflineMs: Infinity,
    store: (position) => stored.push(position),
    clock,
    chance: { fraction: () => 0.5 },
    report: {
      down: (error) => told.push(`down: ${error.message}`),
      up: () => told.push('up'),
      startedOver: () => told.push('started over'),
      limited: (waitMs) => told.push(`limited: ${waitMs}`),
    },
    ...options,
  });
  return { reader, clock, stored, told };
}

export const NEVER = new AbortController().signal;
