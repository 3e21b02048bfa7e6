import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Position } from '../../src/config/position.js';
import { createMetrics, type Metrics } from '../../src/gateway/metrics.js';
import { counted, runGateway } from '../../src/gateway/run.js';
import type { Worker } from '../../src/gateway/worker.js';
import { startOf } from '../../src/listen/queue-reader.js';
import type { Dispatcher } from '../../src/subsystems/dispatch.js';
import { eventsOf, FakeQueue, ManualClock, readerOf } from '../listen/kit.js';

describe('the position', () => {
  it('moves over what is done with, and over nothing behind what is not', async () => {
    const stage = openStage();
    stage.queue.push(...eventsOf(1, 2, 3));
    const gates = [gate(), gate(), gate()];
    const run = stage.run({ work: async ({ content }) => gates[numberOf(content) - 1]?.passed });
    await stage.begun(3);
    gates[1]?.open();
    gates[2]?.open();
    await gates[2]?.passed;
    expect(stage.stored).toEqual([]);
    expect(stage.metrics.waiting).toBe(3);
    gates[0]?.open();
    await stage.queue.polled();
    expect(stage.stored.at(-1)).toEqual({ api: 'v3', since: 's3', consumed: 0 });
    expect(stage.metrics.waiting).toBe(0);
    stage.stop();
    await run;
  });

  it('moves with each event', async () => {
    const stage = openStage();
    stage.queue.push(...eventsOf(1, 2, 3));
    const gates = [gate(), gate(), gate()];
    const run = stage.run({ work: async ({ content }) => gates[numberOf(content) - 1]?.passed });
    await stage.begun(3);
    for (const n of [1, 2]) {
      gates[n - 1]?.open();
      while (stage.metrics.waiting > 3 - n) await Promise.resolve();
      expect(stage.stored.at(-1)).toMatchObject({ since: undefined, consumed: n });
    }
    gates[2]?.open();
    await stage.queue.polled();
    expect(stage.stored.at(-1)).toEqual({ api: 'v3', since: 's3', consumed: 0 });
    stage.stop();
    await run;
  });

  it('stays where work was cut off when the moment to stop in is over', async () => {
    const stage = openStage();
    stage.queue.push(...eventsOf(1, 2));
    const run = stage.run({
      work: async ({ content }, _txnId, signal) => {
        if (numberOf(content) === 1) return;
        await new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      },
    });
    await stage.begun(2);
    stage.stop();
    expect(await stage.clock.sleeping()).toBe(1000);
    stage.clock.advance(1000);
    await run;
    expect(stage.stored.at(-1)).toMatchObject({ since: undefined, consumed: 1 });
    expect(stage.queue.acknowledged).toBe(0);
  });

  it('moves over what comes to its end in time after the signal', async () => {
    const stage = openStage();
    stage.queue.push(...eventsOf(1, 2));
    const door = gate();
    const run = stage.run({ work: () => door.passed });
    await stage.begun(2);
    stage.stop();
    door.open();
    await run;
    expect(stage.queue.acknowledged).toBe(2);
  });

  it('stays before an event whose work fails for good, and the rest is cut off', async () => {
    const stage = openStage();
    stage.queue.push(...eventsOf(1, 2));
    let wasCut = false;
    const run = stage.run({
      work: async ({ content }, _txnId, signal) => {
        if (numberOf(content) === 1) throw new Error('let in no more');
        signal.addEventListener('abort', () => (wasCut = true));
        await new Promise(() => undefined);
      },
    });
    await expect(run).rejects.toThrow('let in no more');
    expect(stage.stored).toEqual([]);
    expect(wasCut).toBe(true);
  });
});

describe('the transaction IDs', () => {
  it('are the same when a batch comes again, and different for equal events', async () => {
    const ids = async (position?: Position): Promise<string[]> => {
      const stage = openStage(position);
      stage.queue.push(...eventsOf(1, 1, 2));
      const seen: string[] = [];
      const run = stage.run({
        work: (_event, txnId) => {
          seen.push(txnId);
          return Promise.resolve();
        },
      });
      await stage.queue.polled();
      stage.stop();
      await run;
      return seen;
    };
    const first = await ids();
    expect(new Set(first).size).toBe(3);
    expect(await ids()).toEqual(first);
    for (const id of first) expect(id).toMatch(/^mx2s-[\w-]{22}$/);
  });

  it('depend on how many events of the batch were done with before, and not on who counts', async () => {
    const all = openStage();
    all.queue.push(...eventsOf(1, 2, 3));
    const seen: string[] = [];
    const note: Worker['work'] = (_event, txnId) => {
      seen.push(txnId);
      return Promise.resolve();
    };
    const run = all.run({ work: note });
    await all.queue.polled();
    all.stop();
    await run;

    const second = seen.splice(0).at(1);
    const half = openStage();
    half.queue.push(...eventsOf(1, 2, 3));
    const cut = half.run(
      {
        work: ({ content }) =>
          numberOf(content) === 1 ? Promise.resolve() : Promise.reject(new Error('dies')),
      },
      1,
    );
    await expect(cut).rejects.toThrow('dies');
    const again = openStage(half.stored.at(-1), half.queue);
    const rest = again.run({ work: note });
    await again.queue.polled();
    again.stop();
    await rest;
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBe(second);
  });
});

it('whenever a run dies, no event is lost', async () => {
  const runs = fc.array(
    fc.record({
      concurrency: fc.integer({ min: 1, max: 4 }),
      /** How many turns the work on each event takes. */
      turns: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 8 }),
      /** After how many deeds (an event done with, a position stored) it dies. */
      deedsLeft: fc.integer({ min: 0, max: 9 }),
      isDone: fc.boolean(),
    }),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(runs, fc.integer({ min: 1, max: 5 }), async (lives, limit) => {
      const queue = new FakeQueue();
      queue.limit = limit;
      const done = new Set<number>();
      let position = startOf('v3');
      let sent = 0;
      for (const { concurrency, turns, deedsLeft, isDone } of lives) {
        for (let n = 0; n < 3; n += 1) queue.push(...eventsOf((sent += 1)));
        let left = deedsLeft;
        const act = (deed: () => void): void => {
          if (left === 0 && !isDone) throw new Killed();
          if (left < 0) throw new Killed();
          deed();
          if (left-- === 0) throw new Killed();
        };
        await live(
          queue,
          position,
          concurrency,
          (stored) => act(() => (position = stored)),
          async (n) => {
            for (let turn = turns[n % turns.length] ?? 0; turn > 0; turn -= 1) await Promise.resolve();
            act(() => done.add(n));
          },
        );
      }
      await live(
        queue,
        position,
        2,
        (stored) => (position = stored),
        async (n) => void done.add(n),
      );
      expect([...done].sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, index) => index + 1));
    }),
  );
});

it('counts what the homeserver answers, and what it does not', async () => {
  const queue = new FakeQueue();
  const metrics = createMetrics();
  const clock = new ManualClock();
  clock.advance(500);
  const source = counted(queue, metrics, clock);
  const { signal } = new AbortController();
  await source.read({ since: undefined, timeoutMs: 0 }, signal);
  expect(metrics).toMatchObject({ isConnected: true, lastSyncMs: 500, syncFailures: 0 });
  queue.failures.push(new Error('down'));
  await expect(source.read({ since: undefined, timeoutMs: 0 }, signal)).rejects.toThrow('down');
  expect(metrics).toMatchObject({ isConnected: false, lastSyncMs: 500, syncFailures: 1 });
});

class Killed extends Error {}

/** One run to its death, or until the queue is empty. */
async function live(
  queue: FakeQueue,
  start: Position,
  concurrency: number,
  store: (position: Position) => void,
  work: (n: number) => Promise<void>,
): Promise<void> {
  const { reader, clock } = readerOf(queue, { start, store });
  const stop = new AbortController();
  void queue.polled().then(() => stop.abort(new Error('enough')));
  await runGateway({
    reader,
    worker: { work: ({ content }) => work(numberOf(content)) },
    dispatcher: NO_DISPATCHER,
    concurrency,
    metrics: createMetrics(),
    onReady: () => Promise.resolve(),
    clock,
    signal: stop.signal,
  }).catch((error: unknown) => {
    if (!(error instanceof Killed)) throw error;
  });
}

interface Stage {
  readonly queue: FakeQueue;
  readonly clock: ManualClock;
  readonly stored: Position[];
  readonly metrics: Metrics;
  run(worker: Worker, concurrency?: number): Promise<void>;
  /** Resolves when the work on so many events has begun. */
  begun(count: number): Promise<void>;
  stop(): void;
}

function openStage(start: Position = startOf('v3'), queue = new FakeQueue()): Stage {
  const { reader, clock, stored } = readerOf(queue, { start });
  const metrics = createMetrics();
  const stop = new AbortController();
  let begun = 0;
  let wake: () => void = () => undefined;
  return {
    queue,
    clock,
    stored,
    metrics,
    run: ({ work }, concurrency = 4) =>
      runGateway({
        reader,
        worker: {
          work: (event, txnId, signal) => {
            begun += 1;
            wake();
            return work(event, txnId, signal);
          },
        },
        dispatcher: NO_DISPATCHER,
        concurrency,
        metrics,
        onReady: () => Promise.resolve(),
        clock,
        signal: stop.signal,
      }),
    begun: async (count) => {
      while (begun < count) await new Promise<void>((resolve) => (wake = resolve));
    },
    stop: () => stop.abort(new Error('told to stop')),
  };
}

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

function numberOf(content: string): number {
  return (JSON.parse(content) as { n: number }).n;
}

const NO_DISPATCHER: Dispatcher = {
  dispatch: () => Promise.reject(new Error('the worker is faked')),
  close: () => Promise.resolve(),
};
