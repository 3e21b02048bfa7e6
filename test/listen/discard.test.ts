import { expect, it } from 'vitest';
import { discard } from '../../src/listen/discard.js';
import { eventsOf, FakeQueue, NEVER, readerOf } from './kit.js';

it('acknowledges batch after batch, and counts the events', async () => {
  const queue = new FakeQueue();
  queue.limit = 2;
  queue.push(...eventsOf(1, 2, 3, 4, 5));
  const { reader, stored } = readerOf(queue);
  expect(await discard(reader, NEVER)).toBe(5);
  expect(queue.acknowledged).toBe(5);
  expect(stored.at(-1)).toEqual({ api: 'v3', since: 's5', consumed: 0 });
});

it('does not count what an earlier run handed over', async () => {
  const queue = new FakeQueue();
  queue.push(...eventsOf(1, 2, 3));
  const earlier = readerOf(queue);
  earlier.reader.advance(await earlier.reader.read(0, NEVER), 1);
  const start = earlier.stored.at(-1);
  if (start === undefined) throw new Error('no position was stored');
  expect(await discard(readerOf(queue, { start }).reader, NEVER)).toBe(2);
});
