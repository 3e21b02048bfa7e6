import { describe, expect, it } from 'vitest';
import type { Spool } from '../../src/config/spool.js';
import { HookFailedError, MatrixError } from '../../src/errors.js';
import { Listener, type ListenerOptions } from '../../src/listen/listener.js';
import type { ToDeviceEvent } from '../../src/wire/sync.js';
import type { ReceivedEvent } from '../../src/todevice/received.js';
import { eventOf, eventsOf, FakeQueue, numbersOf, OWN_SERVER, readerOf, type ReaderKit } from './kit.js';

interface Kit extends ReaderKit {
  readonly queue: FakeQueue;
  readonly listener: Listener;
  /** The numbers of the events printed, one list a write. */
  readonly writes: number[][];
  readonly printed: ReceivedEvent[];
  readonly stop: AbortController;
  /** What is left of the spool. */
  readonly spooled: ToDeviceEvent[];
  readyCount: number;
}

interface Settings extends Partial<ListenerOptions> {
  readonly spooled?: ToDeviceEvent[];
  readonly stored?: ReaderKit['stored'];
}

function kitOf(queue: FakeQueue, { spooled = [], stored, ...options }: Settings = {}): Kit {
  const start = stored?.at(-1);
  const line = readerOf(queue, start === undefined ? {} : { start });
  const stop = new AbortController();
  const writes: number[][] = [];
  const printed: ReceivedEvent[] = [];
  const listener = new Listener({
    reader: line.reader,
    spool: spoolOf(spooled),
    ownServer: OWN_SERVER,
    selection: ({ serverUser }) => serverUser,
    print: (events) => {
      writes.push(numbersOf(events));
      printed.push(...events);
      return Promise.resolve();
    },
    onReady: () => {
      kit.readyCount += 1;
      return Promise.resolve();
    },
    count: Infinity,
    deadlineMs: Infinity,
    idleMs: Infinity,
    drain: false,
    clock: line.clock,
    signal: stop.signal,
    ...options,
  });
  const kit: Kit = { ...line, queue, listener, writes, printed, stop, spooled, readyCount: 0 };
  return kit;
}

function spoolOf(events: ToDeviceEvent[]): Spool {
  return { waiting: [...events], remove: (count) => void events.splice(0, count) };
}

function queueOf(...numbers: readonly number[]): FakeQueue {
  const queue = new FakeQueue();
  queue.push(...eventsOf(...numbers));
  return queue;
}

describe('--count', () => {
  it('stops inside a batch, which is not acknowledged', async () => {
    const kit = kitOf(queueOf(1, 2, 3), { count: 2 });
    expect(await kit.listener.run()).toBe('count');
    expect(kit.writes).toEqual([[1, 2]]);
    expect(kit.stored).toMatchObject([{ since: undefined, consumed: 2 }]);
    expect(kit.queue.requests).toHaveLength(1);
  });

  it('prints the five events of a batch in five runs, each once', async () => {
    const queue = queueOf(1, 2, 3, 4, 5);
    const stored: Kit['stored'] = [];
    for (const n of [1, 2, 3, 4, 5]) {
      const kit = kitOf(queue, { count: 1, stored });
      expect(await kit.listener.run()).toBe('count');
      expect(kit.writes).toEqual([[n]]);
      stored.push(...kit.stored);
    }
    expect(queue.acknowledged).toBe(5);
  });

  it('acknowledges a batch that it ended with, and leaves alone what came since', async () => {
    const kit = kitOf(queueOf(1, 2), {
      count: 2,
      print: () => {
        kit.queue.push(...eventsOf(3));
        return Promise.resolve();
      },
    });
    await kit.listener.run();
    expect(kit.queue.requests.at(-1)).toEqual({ since: 's2', timeoutMs: 0 });
    expect(kit.queue.acknowledged).toBe(2);
    expect(kit.stored.at(-1)).toMatchObject({ since: 's2', consumed: 0 });
  });

  it('goes over several batches, and does not count what it does not print', async () => {
    const queue = new FakeQueue();
    queue.limit = 2;
    queue.push(
      eventOf(1),
      eventOf(2, '@alice:example.org'),
      { ...eventOf(3), sender: undefined },
      eventOf(4),
      eventOf(5),
    );
    const kit = kitOf(queue, { count: 2 });
    expect(await kit.listener.run()).toBe('count');
    expect(kit.writes).toEqual([[1], [4]]);
    expect(kit.listener.tally).toMatchObject({ printed: 2, unselected: 2 });
  });
});

describe('the first sync', () => {
  it('does not wait, and is followed by long polls', async () => {
    const kit = kitOf(queueOf(1));
    const end = kit.listener.run();
    await kit.queue.polled();
    kit.stop.abort(new Error('stop'));
    expect(await end).toBe('interrupted');
    expect(kit.queue.requests.map(({ timeoutMs }) => timeoutMs)).toEqual([0, 30_000, 0]);
  });

  it('is told once, before anything is printed', async () => {
    const kit = kitOf(queueOf(1, 2), {
      drain: true,
      onReady: () => {
        expect(kit.writes).toEqual([]);
        kit.readyCount += 1;
        return Promise.resolve();
      },
    });
    await kit.listener.run();
    expect(kit.readyCount).toBe(1);
  });

  it('is not told where it fails', async () => {
    const kit = kitOf(queueOf());
    const refused = new MatrixError(
      { status: 403, errcode: 'M_FORBIDDEN', method: 'GET', url: '/sync' },
      'no',
    );
    kit.queue.failures.push(refused);
    await expect(kit.listener.run()).rejects.toBe(refused);
    expect(kit.readyCount).toBe(0);
  });
});

describe('--drain', () => {
  it('ends when nothing waits, and everything is acknowledged', async () => {
    const queue = queueOf(1, 2, 3);
    queue.limit = 2;
    const kit = kitOf(queue, { drain: true });
    expect(await kit.listener.run()).toBe('drained');
    expect(kit.writes).toEqual([[1, 2], [3]]);
    expect(queue.acknowledged).toBe(3);
    expect(queue.requests.every(({ timeoutMs }) => timeoutMs === 0)).toBe(true);
  });

  it('ends at once where there is nothing', async () => {
    expect(await kitOf(queueOf(), { drain: true }).listener.run()).toBe('drained');
  });

  it('goes past a batch of which it wants nothing, and one that holds no event', async () => {
    const queue = new FakeQueue();
    queue.push(eventOf(1, '@alice:example.org'));
    queue.malformedCount = 2;
    const kit = kitOf(queue, { drain: true });
    await kit.listener.run();
    expect(kit.listener.tally).toEqual({ printed: 0, unselected: 1, hookFailures: 0, malformed: 2 });
    expect(queue.acknowledged).toBe(1);
  });
});

describe('--idle', () => {
  it('ends when nothing was printed for so long, counted from the first answer', async () => {
    const kit = kitOf(queueOf(), { idleMs: 1000 });
    const end = kit.listener.run();
    expect(await kit.clock.sleeping()).toBe(1000);
    kit.clock.advance(1000);
    expect(await end).toBe('idle');
  });

  it('starts anew with each event that is printed, and only with those', async () => {
    const kit = kitOf(queueOf(), { idleMs: 1000 });
    const end = kit.listener.run();
    await kit.clock.sleeping();
    kit.clock.advance(600);
    kit.queue.push(...eventsOf(1));
    expect(await kit.clock.sleeping()).toBe(1000);
    kit.clock.advance(600);
    kit.queue.push(eventOf(2, '@alice:example.org'));
    expect(await kit.clock.sleeping()).toBe(400);
    kit.clock.advance(400);
    expect(await end).toBe('idle');
    expect(kit.queue.requests.map(({ timeoutMs }) => timeoutMs)).toEqual([0, 1000, 1000, 400, 0]);
    expect(kit.queue.acknowledged).toBe(2);
  });
});

describe('--timeout', () => {
  it('ends the long poll that runs, and asks for no longer one', async () => {
    const kit = kitOf(queueOf(), { deadlineMs: 5000 });
    const end = kit.listener.run();
    expect(await kit.clock.sleeping()).toBe(5000);
    expect(kit.queue.requests.at(-1)?.timeoutMs).toBe(5000);
    kit.clock.advance(5000);
    expect(await end).toBe('time');
  });

  it('ends a hook that runs, and its event comes again', async () => {
    const kit = kitOf(queueOf(1), { deadlineMs: 5000, hook: (_event, signal) => untilAborted(signal) });
    const end = kit.listener.run();
    await kit.clock.sleeping();
    kit.clock.advance(5000);
    expect(await end).toBe('time');
    expect(kit.stored).toEqual([]);
    expect(kit.queue.acknowledged).toBe(0);
  });
});

describe('an interruption', () => {
  it('acknowledges what was handed over whole', async () => {
    const kit = kitOf(queueOf(1));
    kit.queue.read = stopAfterFirst(kit);
    expect(await kit.listener.run()).toBe('interrupted');
    expect(kit.queue.acknowledged).toBe(1);
  });

  it('ends between two events where each is handed to a hook', async () => {
    const kit = kitOf(queueOf(1, 2), {
      hook: () => {
        kit.stop.abort(new Error('stop'));
        return Promise.resolve();
      },
    });
    expect(await kit.listener.run()).toBe('interrupted');
    expect(kit.writes).toEqual([[1]]);
    expect(kit.stored).toMatchObject([{ consumed: 1 }]);
  });

  /** The signal comes while the second request is on its way. */
  function stopAfterFirst(kit: Kit): FakeQueue['read'] {
    const read = kit.queue.read.bind(kit.queue);
    return async (request, signal) => {
      if (kit.queue.requests.length === 1) kit.stop.abort(new Error('stop'));
      return read(request, signal);
    };
  }
});

describe('output', () => {
  it('goes out in one write a batch, before the position moves', async () => {
    const kit = kitOf(queueOf(1, 2, 3), {
      drain: true,
      print: (events) => {
        expect(kit.stored).toEqual([]);
        kit.writes.push(numbersOf(events));
        return Promise.resolve();
      },
    });
    await kit.listener.run();
    expect(kit.writes).toEqual([[1, 2, 3]]);
    expect(kit.stored).toEqual([{ api: 'v3', since: 's3', consumed: 0 }]);
  });

  it('of a very long batch goes out in parts', async () => {
    const kit = kitOf(queueOf(...Array.from({ length: 2500 }, (_, n) => n)), { drain: true });
    kit.queue.limit = 2500;
    await kit.listener.run();
    expect(kit.writes.map(({ length }) => length)).toEqual([1000, 1000, 500]);
    expect(kit.stored.map(({ consumed }) => consumed)).toEqual([1000, 2000, 0]);
  });

  it('that fails leaves the position where it was', async () => {
    const gone = new Error('gone');
    const kit = kitOf(queueOf(1, 2), { print: () => Promise.reject(gone) });
    await expect(kit.listener.run()).rejects.toBe(gone);
    expect(kit.stored).toEqual([]);
    expect(kit.queue.acknowledged).toBe(0);
  });

  it('that nobody takes keeps no run alive after the signal, and is not counted', async () => {
    let isPrinting: (() => void) | undefined;
    const printing = new Promise<void>((resolve) => (isPrinting = resolve));
    const kit = kitOf(queueOf(1, 2), {
      print: () => {
        isPrinting?.();
        return new Promise(() => undefined);
      },
    });
    const run = kit.listener.run();
    await printing;
    kit.stop.abort(new Error('stop'));
    kit.clock.advance(await kit.clock.sleeping());
    expect(await run).toBe('interrupted');
    expect(kit.listener.tally.printed).toBe(0);
    expect(kit.stored).toEqual([]);
  });

  it('knows what sender it is, and when it came', async () => {
    const queue = new FakeQueue();
    queue.push(eventOf(1), eventOf(2, '@:example.com'), eventOf(3, 'no ID'));
    const kit = kitOf(queue, { drain: true, selection: () => true });
    await kit.listener.run();
    expect(kit.printed).toMatchObject([
      { serverUser: true, ownServer: true, receivedTs: 0 },
      { serverUser: true, ownServer: false },
      { serverUser: false, ownServer: false },
    ]);
  });
});

describe('a hook', () => {
  it('takes each event before it is printed, and the position moves after both', async () => {
    const order: string[] = [];
    const kit = kitOf(queueOf(1, 2), {
      drain: true,
      hook: (event) => {
        order.push(`hook ${numbersOf([event]).join()} at ${kit.stored.at(-1)?.consumed ?? 0}`);
        return Promise.resolve();
      },
      print: (events) => {
        order.push(`print ${numbersOf(events).join()}`);
        return Promise.resolve();
      },
    });
    await kit.listener.run();
    expect(order).toEqual(['hook 1 at 0', 'print 1', 'hook 2 at 1', 'print 2']);
  });

  it('is not run for what nobody wants', async () => {
    const queue = new FakeQueue();
    queue.push(eventOf(1, '@alice:example.org'), eventOf(2));
    const seen: number[] = [];
    const kit = kitOf(queue, {
      drain: true,
      hook: (event) => {
        seen.push(...numbersOf([event]));
        return Promise.resolve();
      },
    });
    await kit.listener.run();
    expect(seen).toEqual([2]);
  });

  it('that fails ends the run before its event', async () => {
    const failed = new HookFailedError('no');
    const kit = kitOf(queueOf(1, 2, 3), {
      hook: (event) => (numbersOf([event])[0] === 2 ? Promise.reject(failed) : Promise.resolve()),
    });
    await expect(kit.listener.run()).rejects.toBe(failed);
    expect(kit.writes).toEqual([[1]]);
    expect(kit.stored).toMatchObject([{ since: undefined, consumed: 1 }]);
  });

  it('that fails is passed over where the user said so', async () => {
    const failures: HookFailedError[] = [];
    const kit = kitOf(queueOf(1, 2, 3), {
      count: 2,
      hook: (event) =>
        numbersOf([event])[0] === 2 ? Promise.reject(new HookFailedError('no')) : Promise.resolve(),
      onHookFailure: (error) => failures.push(error),
    });
    expect(await kit.listener.run()).toBe('count');
    expect(kit.writes).toEqual([[1], [3]]);
    expect(failures).toHaveLength(1);
    expect(kit.listener.tally).toMatchObject({ printed: 2, hookFailures: 1, unselected: 0 });
    expect(kit.queue.acknowledged).toBe(3);
  });

  it('with a bug in it is not passed over', async () => {
    const bug = new TypeError('bug');
    const kit = kitOf(queueOf(1), { hook: () => Promise.reject(bug), onHookFailure: () => undefined });
    await expect(kit.listener.run()).rejects.toBe(bug);
  });
});

describe('the spool', () => {
  it('is printed first, and is empty then', async () => {
    const kit = kitOf(queueOf(3), { spooled: eventsOf(1, 2), drain: true });
    await kit.listener.run();
    expect(kit.writes).toEqual([[1, 2], [3]]);
    expect(kit.spooled).toEqual([]);
  });

  it('can be enough: then the server is not asked', async () => {
    const kit = kitOf(queueOf(3), { spooled: eventsOf(1, 2), count: 1 });
    expect(await kit.listener.run()).toBe('count');
    expect(numbersOf(kit.spooled)).toEqual([2]);
    expect(kit.queue.requests).toEqual([]);
    expect(kit.readyCount).toBe(0);
  });

  it('passes the filters like anything else, and what they skip is gone', async () => {
    const kit = kitOf(queueOf(), { spooled: [eventOf(1, '@alice:example.org'), eventOf(2)], drain: true });
    await kit.listener.run();
    expect(kit.writes).toEqual([[2]]);
    expect(kit.spooled).toEqual([]);
    expect(kit.listener.tally).toMatchObject({ unselected: 1 });
  });

  it('loses nothing when the output fails', async () => {
    const kit = kitOf(queueOf(), { spooled: eventsOf(1, 2), print: () => Promise.reject(new Error('gone')) });
    await expect(kit.listener.run()).rejects.toThrow('gone');
    expect(numbersOf(kit.spooled)).toEqual([1, 2]);
  });
});

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
