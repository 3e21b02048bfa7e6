import { describe, expect, it } from 'vitest';
import { ask, type AskerOptions } from '../../src/listen/asker.js';
import { eventOf, eventsOf, FakeQueue, numbersOf, OWN_SERVER, readerOf, type ReaderKit } from './kit.js';

interface Kit extends ReaderKit {
  readonly queue: FakeQueue;
  /** What happened, in order: `keep 1,2`, `send`, `print 3`, each with the position stored before. */
  readonly order: string[];
  readonly stop: AbortController;
  ask(): Promise<number>;
}

/** Every event with a number of ten or more is an answer. */
function kitOf(queue: FakeQueue, options: Partial<AskerOptions> = {}): Kit {
  const line = readerOf(queue);
  const stop = new AbortController();
  const order: string[] = [];
  return {
    ...line,
    queue,
    order,
    stop,
    ask: () =>
      ask({
        reader: line.reader,
        ownServer: OWN_SERVER,
        keep: (events) => order.push(`keep ${numbersOf(events).join()}`),
        send: () => {
          order.push('send');
          return Promise.resolve();
        },
        isAnswer: (event) => (numbersOf([event])[0] ?? 0) >= 10,
        print: (answer) => {
          order.push(`print ${numbersOf([answer]).join()}`);
          return Promise.resolve();
        },
        replies: 1,
        timeoutMs: 10_000,
        clock: line.clock,
        signal: stop.signal,
        ...options,
      }),
  };
}

describe('ask', () => {
  it('keeps what waits, also what looks like an answer; then sends; then prints what answers', async () => {
    const queue = new FakeQueue();
    queue.limit = 2;
    queue.push(...eventsOf(1, 10, 2));
    const kit = kitOf(queue, {
      send: () => {
        kit.order.push('send');
        queue.push(...eventsOf(3, 11));
        return Promise.resolve();
      },
    });
    expect(await kit.ask()).toBe(1);
    expect(kit.order).toEqual(['keep 1,10', 'keep 2', 'send', 'keep 3', 'print 11']);
    expect(queue.acknowledged).toBe(5);
  });

  it('leaves what follows the last answer in the queue', async () => {
    const queue = new FakeQueue();
    const kit = kitOf(queue, { replies: 2 });
    const answers = kit.ask();
    await queue.polled();
    queue.push(...eventsOf(1, 10, 2, 11, 3));
    expect(await answers).toBe(2);
    expect(kit.order).toEqual(['send', 'keep 1', 'print 10', 'keep 2', 'print 11']);
    expect(kit.stored.at(-1)).toMatchObject({ since: 's0', consumed: 4 });
    expect(queue.acknowledged).toBe(0);
  });

  it('keeps an event before the position goes past it, and moves it behind an answer that is printed', async () => {
    const queue = new FakeQueue();
    const positions: [string, number | undefined][] = [];
    const kit = kitOf(queue, {
      keep: (events) => positions.push([`keep ${numbersOf(events).join()}`, kit.stored.at(-1)?.consumed]),
      print: (answer) => {
        positions.push([`print ${numbersOf([answer]).join()}`, kit.stored.at(-1)?.consumed]);
        return Promise.resolve();
      },
    });
    const answers = kit.ask();
    await queue.polled();
    queue.push(...eventsOf(1, 2, 10, 3));
    await answers;
    expect(positions).toEqual([
      ['keep 1,2', 0],
      ['print 10', 2],
    ]);
    expect(kit.stored.at(-1)).toMatchObject({ consumed: 3 });
  });

  it('does not lose an answer that could not be printed', async () => {
    const queue = new FakeQueue();
    const kit = kitOf(queue, { print: () => Promise.reject(new Error('gone')) });
    const answers = kit.ask();
    const refused = expect(answers).rejects.toThrow('gone');
    await queue.polled();
    queue.push(...eventsOf(10));
    await refused;
    expect(kit.stored.at(-1)).toEqual({ api: 'v3', since: 's0', consumed: 0 });
  });

  it('counts the time from when the message was accepted', async () => {
    const queue = new FakeQueue();
    const kit = kitOf(queue, { send: (signal) => kit.clock.sleep(60_000, signal) });
    const answers = kit.ask();
    expect(await kit.clock.sleeping()).toBe(60_000);
    kit.clock.advance(60_000);
    expect(await kit.clock.sleeping()).toBe(10_000);
    expect(queue.requests.at(-1)?.timeoutMs).toBe(10_000);
    queue.push(eventOf(1));
    kit.clock.advance(9_000);
    expect(await kit.clock.sleeping()).toBe(1_000);
    kit.clock.advance(1_000);
    expect(await answers).toBe(0);
    expect(kit.order).toEqual(['keep 1']);
    expect(queue.acknowledged).toBe(1);
  });

  it('does not send when it is interrupted before', async () => {
    const queue = new FakeQueue();
    const kit = kitOf(queue);
    const reason = new Error('stop');
    kit.stop.abort(reason);
    await expect(kit.ask()).rejects.toBe(reason);
    expect(kit.order).toEqual([]);
  });

  it('acknowledges what it kept when it is interrupted while it waits', async () => {
    const queue = new FakeQueue();
    const kit = kitOf(queue, {
      keep: () => kit.stop.abort(new Error('stop')),
    });
    const answers = kit.ask();
    await queue.polled();
    queue.push(...eventsOf(1));
    await expect(answers).rejects.toThrow('stop');
    expect(queue.acknowledged).toBe(1);
  });

  it('passes the failure of the send on, and has lost nothing', async () => {
    const queue = new FakeQueue();
    queue.push(...eventsOf(1));
    const kit = kitOf(queue, { send: () => Promise.reject(new Error('refused')) });
    await expect(kit.ask()).rejects.toThrow('refused');
    expect(kit.order).toEqual(['keep 1']);
  });
});
