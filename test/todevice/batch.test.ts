import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runBatch, type Batch } from '../../src/todevice/batch.js';

describe('runBatch', () => {
  it('reports in the order of the items, whatever ends first', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.array(fc.nat(), { maxLength: 5 })),
        fc.integer({ min: 1, max: 4 }),
        async (scheduler, portions, concurrency) => {
          const bench = benchOf(portions, {
            concurrency,
            work: (item) => scheduler.schedule(Promise.resolve(item)),
          });
          expect(await scheduler.waitFor(bench.run)).toBe(true);
          expect(bench.reported.flat()).toEqual(portions.flat());
          expect(bench.mostAtWork()).toBeLessThanOrEqual(concurrency);
        },
      ),
    );
  });

  it('with a concurrency of 1 begins an item when the one before it has a result', async () => {
    const bench = benchOf([[1, 2, 3]], { concurrency: 1 });
    await bench.begun(1);
    expect(bench.started).toEqual([1]);
    bench.finish(1);
    await bench.begun(2);
    expect(bench.started).toEqual([1, 2]);
    bench.finish(2);
    await bench.begun(3);
    bench.finish(3);
    expect(await bench.run).toBe(true);
  });

  it('reports a result without waiting for the source, which may be waiting for it', async () => {
    let giveSecond: (portion: number[]) => void = () => undefined;
    async function* source() {
      yield [1];
      yield await new Promise<number[]>((resolve) => (giveSecond = resolve));
    }
    const reported: number[] = [];
    const run = runBatch({
      ...quick(source()),
      report: async (results) => {
        reported.push(...results);
        if (results.includes(1)) giveSecond([2]);
      },
    });
    expect(await run).toBe(true);
    expect(reported).toEqual([1, 2]);
  });

  it('hands over together what gathers while a report is under way', async () => {
    let reportEnds: () => void = () => undefined;
    const reports: (readonly number[])[] = [];
    const run = runBatch({
      ...quick(portionsOf([[1], [2, 3, 4]])),
      concurrency: 3,
      report: (results) => {
        reports.push(results);
        if (reports.length > 1) return Promise.resolve();
        return new Promise((resolve) => (reportEnds = resolve));
      },
    });
    await turns(20);
    expect(reports).toEqual([[1]]);
    reportEnds();
    await run;
    expect(reports).toEqual([[1], [2, 3, 4]]);
  });

  it('after a last result begins nothing, ends what is begun, and does not wait for the source', async () => {
    const bench = benchOf([[1, 2, 3, 4, 5]], {
      concurrency: 3,
      isLast: (result) => result === 2,
      endless: true,
    });
    await bench.begun(3);
    bench.finish(2);
    await turns(10);
    expect(bench.reported).toEqual([]);
    bench.finish(3);
    bench.finish(1);
    expect(await bench.run).toBe(false);
    expect(bench.started).toEqual([1, 2, 3]);
    expect(bench.reported.flat()).toEqual([1, 2, 3]);
  });

  it('when the signal aborts reports what is begun, also while the source says nothing', async () => {
    const bench = benchOf([[1]], { concurrency: 2, endless: true });
    await bench.begun(1);
    bench.interrupt.abort();
    await turns(10);
    expect(bench.reported).toEqual([]);
    bench.finish(1);
    expect(await bench.run).toBe(false);
    expect(bench.reported.flat()).toEqual([1]);
  });

  it('when the signal aborts reports what is begun, though the source fails with it', async () => {
    const interrupt = new AbortController();
    async function* source() {
      yield [1];
      await new Promise((_, reject) => {
        interrupt.signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    }
    let finish: () => void = () => undefined;
    const reported: number[] = [];
    const run = runBatch<number, number>({
      ...quick(source()),
      concurrency: 2,
      signal: interrupt.signal,
      work: (item) => new Promise((resolve) => (finish = () => resolve(item))),
      report: async (results) => void reported.push(...results),
    });
    await turns(10);
    interrupt.abort();
    await turns(10);
    finish();
    expect(await run).toBe(false);
    expect(reported).toEqual([1]);
  });

  it('begins nothing when the signal has aborted before', async () => {
    const interrupt = new AbortController();
    interrupt.abort();
    const bench = benchOf([[1]], { concurrency: 1, interrupt });
    expect(await bench.run).toBe(false);
    expect(bench.started).toEqual([]);
  });

  it('holds back when the first of many does not end', async () => {
    const items = Array.from({ length: 1000 }, (_, index) => index);
    const bench = benchOf([items], {
      concurrency: 2,
      work: (item) => (item === 0 ? never() : Promise.resolve(item)),
    });
    await turns(2000);
    expect(bench.started.length).toBe(128);
  });

  it.each(['work', 'report', 'source'] as const)('rejects with what %s rejects with', async (part) => {
    const failure = new Error('broken');
    const fail = () => Promise.reject(failure);
    const parts = {
      work: { work: fail },
      report: { report: fail },
      source: {
        source: (async function* () {
          yield [1];
          await fail();
        })(),
      },
    };
    const run = runBatch({ ...quick(portionsOf([[1], [2]])), ...parts[part] });
    await expect(run).rejects.toBe(failure);
  });

  it('neither begins nor reports anything after it has failed', async () => {
    const bench = benchOf([[1, 2, 3, 4, 5]], {
      concurrency: 2,
      report: () => Promise.reject(new Error('the reader is gone')),
    });
    await bench.begun(2);
    bench.finish(1);
    await expect(bench.run).rejects.toThrow('the reader is gone');
    bench.finish(2);
    bench.finish(3);
    await turns(10);
    expect(bench.started).toEqual([1, 2, 3]); // 3 took the place of 1 while its result was on the way
    expect(bench.reported).toEqual([]);
  });
});

interface BenchSettings extends Partial<Pick<Batch<number, number>, 'work' | 'isLast' | 'report'>> {
  readonly concurrency: number;
  readonly interrupt?: AbortController;
  /** The source never says that it has ended. */
  readonly endless?: boolean;
}

/** A batch whose items end when the test says so. */
function benchOf(portions: readonly (readonly number[])[], settings: BenchSettings) {
  const started: number[] = [];
  const reported: (readonly number[])[] = [];
  const finishers = new Map<number, () => void>();
  const waiting: { count: number; resolve: () => void }[] = [];
  const interrupt = settings.interrupt ?? new AbortController();
  let atWork = 0;
  let mostAtWork = 0;
  const byHand = (item: number): Promise<number> =>
    new Promise((resolve) => finishers.set(item, () => resolve(item)));
  const run = runBatch<number, number>({
    source: portionsOf(portions, settings.endless),
    concurrency: settings.concurrency,
    isLast: settings.isLast ?? (() => false),
    signal: interrupt.signal,
    work: async (item) => {
      started.push(item);
      mostAtWork = Math.max(mostAtWork, (atWork += 1));
      const result = (settings.work ?? byHand)(item);
      for (const { count, resolve } of waiting) if (started.length >= count) resolve();
      await result;
      atWork -= 1;
      return result;
    },
    report:
      settings.report ??
      (async (results) => {
        reported.push(results);
      }),
  });
  return {
    run,
    started,
    reported,
    interrupt,
    mostAtWork: () => mostAtWork,
    finish: (item: number) => finishers.get(item)?.(),
    begun: (count: number) =>
      started.length >= count
        ? Promise.resolve()
        : new Promise<void>((resolve) => waiting.push({ count, resolve })),
  };
}

function quick(source: AsyncIterable<readonly number[]>): Batch<number, number> {
  return {
    source,
    concurrency: 1,
    work: (item) => Promise.resolve(item),
    isLast: () => false,
    report: () => Promise.resolve(),
    signal: new AbortController().signal,
  };
}

async function* portionsOf(portions: readonly (readonly number[])[], endless = false) {
  for (const portion of portions) yield await Promise.resolve(portion);
  if (endless) await never();
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** Lets what is ready run, so that a test can see that nothing more happens. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}
