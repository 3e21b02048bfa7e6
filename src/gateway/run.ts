/**
 * The gateway: reads the queue of a homeserver's server user, hands each event to its handler and sends the answer.
 *
 * At least once: the position moves over an event when it is done with, and over no event before it. Handlers run
 * side by side within a batch; the next batch is read when all of one is done with, because to ask for it
 * acknowledges this one. Handlers run in this process's memory only while they work: nothing is stored but
 * in the homeserver's own queue, which is how a stock homeserver passes messages on.
 */
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.js';
import type { PositionKeeper } from '../config/position-keeper.js';
import { nextDigest, type Position } from '../config/position.js';
import type { BatchSource } from '../listen/batch-source.js';
import type { OpenBatch } from '../listen/open-batch.js';
import type { QueueReader } from '../listen/queue-reader.js';
import type { Dispatcher } from '../subsystems/dispatch.js';
import { runBatch } from '../todevice/batch.js';
import type { ToDeviceEvent } from '../wire/sync.js';
import type { Metrics } from './metrics.js';
import type { Worker } from './worker.js';

export interface GatewayOptions {
  /** Its source should be `counted`. */
  readonly reader: QueueReader;
  readonly worker: Worker;
  readonly dispatcher: Dispatcher;
  /** How many events are worked on at a time: as many as handlers may run. */
  readonly concurrency: number;
  readonly metrics: Metrics;
  /** After the first good answer of the homeserver, before anything of it is handed over. */
  onReady(): Promise<void>;
  readonly clock: Clock;
  /** Ends the run: what is at work is brought to its end, if that takes no longer than a moment. */
  readonly signal: AbortSignal;
}

/**
 * Runs until the signal aborts.
 * @throws what the reader throws for good, what the worker throws, DiskError
 */
export async function runGateway(options: GatewayOptions): Promise<void> {
  const { reader, dispatcher, onReady, clock, signal } = options;
  const cut = new AbortController();
  setMaxListeners(0, cut.signal); // as many as there are events at work
  const over = new AbortController();
  const onAbort = (): void => {
    void clock.sleep(GRACE_MS, over.signal).then(
      () => {
        cut.abort(signal.reason);
        return dispatcher.close();
      },
      () => undefined, // everything came to its end in time
    );
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let isFirst = true;
    while (!signal.aborted) {
      const batch = await reader.read(isFirst ? 0 : POLL_MS, signal);
      if (isFirst) await onReady();
      isFirst = false;
      await workOff(batch, options, cut.signal);
    }
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    over.abort();
    cut.abort(OVER); // after a failure, work that waits for its next try would go on
    await dispatcher.close();
  }
  await reader.acknowledge();
}

/**
 * How the reader's position is stored: the beginning of a batch before any of it is worked on, for its answers have
 * transaction IDs that are made of it, and have to have the same ones after a crash; within a batch now and then.
 */
export function storeFor(positions: PositionKeeper): (position: Position) => void {
  return (position) =>
    position.consumed === 0 ? positions.storeAtOnce(position) : positions.store(position);
}

/** The same source, with what it does counted. */
export function counted(source: BatchSource, metrics: Metrics, clock: Pick<Clock, 'now'>): BatchSource {
  return {
    api: source.api,
    async read(request, signal) {
      try {
        const batch = await source.read(request, signal);
        metrics.isConnected = true;
        metrics.lastSyncMs = clock.now();
        return batch;
      } catch (error) {
        if (!signal.aborted) {
          metrics.isConnected = false;
          metrics.syncFailures += 1;
        }
        throw error;
      }
    },
  };
}

/** Works on a batch until it is done with, or the signal aborted and what was begun is done with. */
async function workOff(batch: OpenBatch, options: GatewayOptions, cut: AbortSignal): Promise<void> {
  const { reader, worker, concurrency, metrics, clock, signal } = options;
  metrics.events.malformed += batch.malformedCount;
  const tasks = tasksOf(batch);
  if (tasks.length === 0) return;
  metrics.waiting = tasks.length;
  metrics.waitingSinceMs = clock.now();
  try {
    await runBatch({
      source: onePortion(tasks),
      concurrency,
      work: ({ event, txnId }) => worker.work(event, txnId, cut),
      isLast: () => false,
      report: async (results) => {
        reader.advance(batch, results.length);
        metrics.waiting -= results.length;
      },
      signal,
    });
  } finally {
    metrics.waiting = 0;
    metrics.waitingSinceMs = undefined;
  }
}

interface Task {
  readonly event: ToDeviceEvent;
  readonly txnId: string;
}

/**
 * The events that wait, each with the transaction ID of its answer. It follows from where the event stands in the
 * queue and from the event itself, so that one that comes again after a crash is answered under the same ID, which
 * the homeserver takes once.
 */
function tasksOf(batch: OpenBatch): Task[] {
  const { since = '', consumed } = batch.position;
  return batch.waiting.map((event, index) => {
    const place = JSON.stringify([since, consumed + index, nextDigest(undefined, event)]);
    const digest = createHash('sha256').update(place).digest('base64url');
    return { event, txnId: `mx2s-${digest.slice(0, TXN_CHARACTERS)}` };
  });
}

async function* onePortion(tasks: readonly Task[]): AsyncIterable<readonly Task[]> {
  yield tasks;
}

/** How long the homeserver may hold a request (Client-Server API v1.19, "GET /sync", `timeout`). */
const POLL_MS = 30_000;
/** A signal is answered within two seconds. */
const GRACE_MS = 1000;
/** Why what is still at work at the end of a run is cut off. */
const OVER = new Error('the gateway stops');
/** 132 bits. */
const TXN_CHARACTERS = 22;
