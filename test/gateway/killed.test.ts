/** What a gateway that is killed at any moment leaves on disk, and what the next one makes of it. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PositionKeeper } from '../../src/config/position-keeper.js';
import { readPosition } from '../../src/config/position.js';
import { createMetrics } from '../../src/gateway/metrics.js';
import { runGateway, storeFor } from '../../src/gateway/run.js';
import { startOf } from '../../src/listen/queue-reader.js';
import type { Dispatcher } from '../../src/subsystems/dispatch.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';
import { eventsOf, FakeQueue, readerOf } from '../listen/kit.js';

let place: TempDir;
beforeEach(async () => (place = await makeTempDir()));
afterEach(() => place.remove());

it.each([1, 2, 3, 4, 5, 6])(
  'killed in event %i, the next one answers all that comes again under the same IDs',
  async (n) => {
    const queue = new FakeQueue();
    queue.limit = 2;
    queue.push(...eventsOf(1, 2, 3, 4, 5, 6));
    const first = await live(queue, n);
    const second = await live(queue, undefined);
    expect([...new Set([...first.keys(), ...second.keys()])]).toEqual([1, 2, 3, 4, 5, 6]);
    for (const [event, txnId] of second) expect(first.get(event) ?? txnId).toBe(txnId);
  },
);

/** One life: it dies when the answer to that event is sent, and stores nothing any more. Gives the ID of each answer. */
async function live(queue: FakeQueue, diesAt: number | undefined): Promise<ReadonlyMap<number, string>> {
  const path = join(place.path, 'state', 'position.json');
  const { clock } = readerOf(queue);
  const { reader } = readerOf(queue, {
    start: readPosition(path) ?? startOf('v3'),
    store: storeFor(new PositionKeeper(path, clock)), // whose clock stands still: nothing is stored later
  });
  const answered = new Map<number, string>();
  const stop = new AbortController();
  void queue.polled().then(() => stop.abort(new Error('all is read')));
  await runGateway({
    reader,
    worker: {
      work: async ({ content }, txnId) => {
        const { n } = JSON.parse(content) as { n: number };
        answered.set(n, txnId);
        if (n === diesAt) throw new Error('killed');
      },
    },
    dispatcher: NO_DISPATCHER,
    concurrency: 1,
    metrics: createMetrics(),
    onReady: () => Promise.resolve(),
    clock,
    signal: stop.signal,
  }).catch((error: unknown) => {
    if (diesAt === undefined) throw error;
  });
  return answered;
}

const NO_DISPATCHER = { close: () => Promise.resolve() } as unknown as Dispatcher;
