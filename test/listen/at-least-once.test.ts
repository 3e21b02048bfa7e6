import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Position } from '../../src/config/position.js';
import type { Spool } from '../../src/config/spool.js';
import { ask } from '../../src/listen/asker.js';
import { Listener } from '../../src/listen/listener.js';
import { startOf } from '../../src/listen/queue-reader.js';
import type { ToDeviceEvent } from '../../src/wire/sync.js';
import { eventOf, FakeQueue, NEVER, numbersOf, OWN_SERVER, readerOf } from './kit.js';

/** What is left when a process dies: the files, the queue, and what the kernel had taken. */
interface World {
  readonly queue: FakeQueue;
  position: Position;
  readonly spool: ToDeviceEvent[];
  readonly printed: number[];
  /** How many events there were; their numbers count from 1. */
  sent: number;
}

/** One run, and after how many of its deeds (prints, stores, entries into and out of the spool) it dies. */
interface Run {
  readonly command: 'listen' | 'request';
  readonly count: number;
  readonly deedsLeft: number;
  /** Dies with the deed done, or just before it. */
  readonly isDone: boolean;
}

class Killed extends Error {}

const ANSWER = 0;

const RUNS = fc.array(
  fc.record<Run>({
    command: fc.constantFrom('listen', 'request'),
    count: fc.integer({ min: 1, max: 6 }),
    deedsLeft: fc.integer({ min: 0, max: 9 }),
    isDone: fc.boolean(),
  }),
  { maxLength: 12 },
);

it('whatever a run does when it dies, no event is lost', async () => {
  await fc.assert(
    fc.asyncProperty(RUNS, fc.integer({ min: 1, max: 7 }), async (runs, limit) => {
      const world: World = {
        queue: new FakeQueue(),
        position: startOf('v3'),
        spool: [],
        printed: [],
        sent: 0,
      };
      world.queue.limit = limit;
      for (const run of runs) {
        push(world, 3);
        await live(world, run).catch(mayBeKilled);
      }
      await listenIn(world, Infinity, (act) => act());
      expect([...new Set(world.printed)].filter((n) => n !== ANSWER).sort((a, b) => a - b)).toEqual(
        Array.from({ length: world.sent }, (_, index) => index + 1),
      );
    }),
  );
});

async function live(world: World, { command, count, deedsLeft, isDone }: Run): Promise<void> {
  let left = deedsLeft;
  const deed: Deed = (act) => {
    if (left === 0 && !isDone) throw new Killed();
    act();
    if (left === 0) throw new Killed();
    left -= 1;
  };
  await (command === 'listen' ? listenIn(world, count, deed) : requestIn(world, deed));
}

/** Does something that lasts, or dies. */
type Deed = (act: () => void) => void;

async function listenIn(world: World, count: number, act: Deed): Promise<void> {
  const { reader, clock } = readerIn(world, act);
  const spool: Spool = {
    waiting: [...world.spool],
    remove: (count) => {
      for (let n = 0; n < count; n += 1) act(() => void world.spool.shift());
    },
  };
  const listener = new Listener({
    reader,
    spool,
    ownServer: OWN_SERVER,
    selection: () => true,
    print: (events) => {
      act(() => world.printed.push(...numbersOf(events)));
      return Promise.resolve();
    },
    onReady: () => Promise.resolve(),
    count,
    deadlineMs: Infinity,
    idleMs: Infinity,
    drain: true,
    clock,
    signal: NEVER,
  });
  await listener.run();
}

/** Asks, and is answered amid other events. */
async function requestIn(world: World, act: Deed): Promise<void> {
  const { reader, clock } = readerIn(world, act);
  await ask({
    reader,
    ownServer: OWN_SERVER,
    keep: (events) => act(() => world.spool.push(...events)),
    send: () => {
      push(world, 1);
      world.queue.push(eventOf(ANSWER));
      push(world, 1);
      return Promise.resolve();
    },
    isAnswer: (event) => numbersOf([event])[0] === ANSWER,
    print: () => {
      act(() => undefined);
      return Promise.resolve();
    },
    replies: 1,
    timeoutMs: 1000,
    clock,
    signal: NEVER,
  });
}

function push(world: World, count: number): void {
  for (let added = 0; added < count; added += 1) world.queue.push(eventOf((world.sent += 1)));
}

function readerIn(world: World, act: Deed): ReturnType<typeof readerOf> {
  return readerOf(world.queue, {
    start: world.position,
    store: (position) =>
      act(() => {
        world.position = position;
      }),
  });
}

function mayBeKilled(error: unknown): void {
  if (!(error instanceof Killed)) throw error;
}
