import { describe, expect, it } from 'vitest';
import { runLoad, type Load } from '../../src/bench/load.js';
import { InterruptedError, MatrixError } from '../../src/errors.js';
import { ManualClock, NEVER } from '../listen/kit.js';

const REFUSAL = new MatrixError({ status: 403, errcode: 'M_FORBIDDEN', method: 'PUT', url: 'u' }, 'no');

describe('a load', () => {
  it('is done as often as was asked for, and tells how long each took', async () => {
    const clock = new ManualClock();
    const done: number[] = [];
    const result = await runLoad(
      loadOf(clock, {
        count: 3,
        work: async (number) => {
          clock.advance(number * 10); // what the work takes
        },
        onProgress: (count) => done.push(count),
      }),
    );
    expect(result).toMatchObject({ ended: 'count', done: 3, failed: 0, abandoned: 0, elapsedMs: 60 });
    expect(result.latency.summary()).toMatchObject({ minMs: 10, meanMs: 20, maxMs: 30 });
    expect(done.at(-1)).toBe(3);
  });

  it('is begun no faster than its rate, and takes the time that its rate says', async () => {
    const clock = new ManualClock();
    const begun: number[] = [];
    const running = runLoad(
      loadOf(clock, {
        count: 3,
        ratePerSecond: 2,
        work: async () => void begun.push(clock.monotonic()),
      }),
    );
    for (let turn = 0; turn < 3; turn += 1) clock.advance(await clock.sleeping());
    expect(await running).toMatchObject({ ended: 'count', done: 3, elapsedMs: 1500 });
    expect(begun).toEqual([0, 500, 1000]);
  });

  it('has at most so many under way', async () => {
    let [underWay, most] = [0, 0];
    const result = await runLoad(
      loadOf(new ManualClock(), {
        count: 50,
        concurrency: 4,
        work: async () => {
          most = Math.max(most, (underWay += 1));
          await Promise.resolve();
          underWay -= 1;
        },
      }),
    );
    expect([result.done, most]).toEqual([50, 4]);
  });

  it('ends with the first failure, and brings to their end those that are under way', async () => {
    const begun: number[] = [];
    const result = await runLoad(
      loadOf(new ManualClock(), {
        count: 100,
        concurrency: 2,
        work: async (number) => {
          begun.push(number);
          if (number === 3) throw REFUSAL;
          await new Promise(setImmediate);
        },
      }),
    );
    expect(result).toMatchObject({ ended: 'failure', failed: 1, error: REFUSAL });
    expect(result.done).toBe(begun.length - 1);
    expect(begun.length).toBeLessThanOrEqual(4);
  });

  it('ends with its time, and abandons what is under way', async () => {
    const clock = new ManualClock();
    const running = runLoad(loadOf(clock, { count: 2, timeoutMs: 1000, work: untilAborted }));
    clock.advance(await clock.sleeping());
    expect(await running).toMatchObject({ ended: 'time', done: 0, abandoned: 1, elapsedMs: 1000 });
  });

  it('ends with its time between two turns', async () => {
    const clock = new ManualClock();
    const running = runLoad(loadOf(clock, { count: 2, ratePerSecond: 0.1, timeoutMs: 1000 }));
    clock.advance(await clock.sleeping());
    expect(await running).toMatchObject({ ended: 'time', done: 1, abandoned: 0 });
  });

  it('is done when all was done, though the turn of the last one is cut short', async () => {
    const clock = new ManualClock();
    const running = runLoad(loadOf(clock, { count: 1, ratePerSecond: 0.1, timeoutMs: 1000 }));
    clock.advance(await clock.sleeping());
    expect(await running).toMatchObject({ ended: 'count', done: 1, elapsedMs: 1000 });
  });

  it('ends with a signal, and says so', async () => {
    const stop = new AbortController();
    const work: Load['work'] = (number, within) => {
      queueMicrotask(() => stop.abort(new InterruptedError('SIGINT')));
      return untilAborted(number, within);
    };
    const running = runLoad(loadOf(new ManualClock(), { signal: stop.signal, work }));
    expect(await running).toMatchObject({ ended: 'interrupted', done: 0, abandoned: 1 });
  });

  it('takes no bug for a measurement', async () => {
    const bug = new TypeError('x is not a function');
    await expect(runLoad(loadOf(new ManualClock(), { work: () => Promise.reject(bug) }))).rejects.toBe(bug);
  });
});

function loadOf(clock: ManualClock, parts: Partial<Load>): Load {
  return {
    count: 1,
    concurrency: 1,
    ratePerSecond: Infinity,
    timeoutMs: 60_000,
    work: () => Promise.resolve(),
    onProgress: () => undefined,
    clock,
    signal: NEVER,
    ...parts,
  };
}

function untilAborted(_number: number, signal: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
