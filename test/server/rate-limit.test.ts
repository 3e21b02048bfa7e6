import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createRateLimit } from '../../src/server/rate-limit.js';

function limitAt(perSecond: number) {
  const time = { ms: 0 };
  const limit = createRateLimit(perSecond, { ...systemClock, monotonic: () => time.ms });
  return { time, take: (sender = 'a') => limit.take(sender) };
}

it('R-34: lets a burst of one second through, then so many a second', () => {
  const { time, take } = limitAt(2);
  expect([take(), take(), take(), take()]).toEqual([0, 0, 500, 500]);
  time.ms = 500;
  expect([take(), take()]).toEqual([0, 500]);
  time.ms = 60_000;
  expect([take(), take(), take()]).toEqual([0, 0, 500]);
});

it('lets one through when there is less than one a second', () => {
  const { time, take } = limitAt(0.5);
  expect([take(), take()]).toEqual([0, 2000]);
  time.ms = 2000;
  expect(take()).toBe(0);
});

it('counts each sender for itself, and forgets those that were long away', () => {
  const { time, take } = limitAt(1);
  for (let n = 0; n <= 10_000; n += 1) expect(take(`sender ${n}`)).toBe(0);
  time.ms = 999;
  expect(take('sender 0')).toBe(1);
  time.ms = 2000;
  expect(take('sender 0')).toBe(0);
});
