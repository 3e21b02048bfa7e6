import { expect, it } from 'vitest';
import { DeadlineError } from '../../src/errors.js';
import { readBacklog } from '../../src/listen/backlog.js';
import type { BatchSource } from '../../src/listen/batch-source.js';
import { eventOf, eventsOf, FakeQueue, NEVER, numbersOf, readerOf } from './kit.js';

it('takes batch after batch until nothing waits, and moves the position behind each', async () => {
  const queue = new FakeQueue();
  queue.limit = 2;
  queue.push(...eventsOf(1, 2, 3));
  const { reader, stored } = readerOf(queue);
  const taken: [number[], string | undefined][] = [];
  await readBacklog(reader, NEVER, ({ waiting }) => taken.push([numbersOf(waiting), stored.at(-1)?.since]));
  expect(taken).toEqual([
    [[1, 2], undefined],
    [[3], 's2'],
  ]);
  expect(stored.at(-1)).toMatchObject({ since: 's3' });
});

it.each([
  ['events', 1, 1000],
  ['bytes', 1024 * 1024, 64],
])('gives up on a server that has %s for ever', async (_what, size, batches) => {
  const { reader, stored } = readerOf(endless(size));
  let taken = 0;
  await expect(readBacklog(reader, NEVER, () => (taken += 1))).rejects.toThrow(DeadlineError);
  expect(taken).toBe(batches);
  expect(stored.at(-1)).toMatchObject({ since: `s${batches}` });
});

it('ends with the signal, also where the server always has something', async () => {
  const stop = new AbortController();
  const reason = new Error('stop');
  const reading = readBacklog(readerOf(endless(1)).reader, stop.signal, () => stop.abort(reason));
  await expect(reading).rejects.toBe(reason);
});

function endless(size: number): BatchSource {
  let count = 0;
  const content = `"${'x'.repeat(size)}"` as ReturnType<typeof eventOf>['content'];
  return {
    api: 'v3',
    read: () =>
      Promise.resolve({
        events: [{ ...eventOf(1), content }],
        nextBatch: `s${(count += 1)}`,
        malformedCount: 0,
      }),
  };
}
