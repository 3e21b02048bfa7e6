import { expect, it } from 'vitest';
import { peek } from '../../src/listen/peek.js';
import { eventOf, FakeQueue, ManualClock, NEVER, numbersOf, OWN_SERVER } from './kit.js';

it('shows the first batch, acknowledges nothing, and wants nothing from a cache', async () => {
  const queue = new FakeQueue();
  queue.limit = 3;
  queue.malformedCount = 1;
  queue.push(eventOf(1), eventOf(2, '@alice:example.org'), eventOf(3), eventOf(4));
  const peeked = await peek({
    source: queue,
    ownServer: OWN_SERVER,
    selection: ({ serverUser }) => serverUser,
    clock: new ManualClock(),
    signal: NEVER,
  });
  expect(numbersOf(peeked.selected)).toEqual([1, 3]);
  expect(peeked).toMatchObject({ unselected: 1, malformed: 1 });
  expect(queue.requests).toEqual([{ since: undefined, timeoutMs: 0, fresh: true }]);
  expect(queue.acknowledged).toBe(0);
});
