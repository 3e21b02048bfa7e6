import { describe, expect, it } from 'vitest';
import { paced } from '../../src/bench/pace.js';
import { TurnedClock } from '../http/turned-clock.js';
import { NEVER } from '../listen/kit.js';

describe('a pace', () => {
  it('begins at once, and gives each number its turn, the last one too', async () => {
    const clock = new TurnedClock();
    expect(await timesOf(clock, { count: 4, ratePerSecond: 10 })).toEqual([0, 100, 200, 300]);
    expect(clock.monotonic()).toBe(400);
  });

  it('may be slower than one a second', async () => {
    expect(await timesOf(new TurnedClock(), { count: 2, ratePerSecond: 0.5 })).toEqual([0, 2000]);
  });

  it('does not make up for what was late', async () => {
    const clock = new TurnedClock();
    const times: number[] = [];
    for await (const [number] of paced({ count: 4, ratePerSecond: 10, clock, signal: NEVER })) {
      times.push(clock.monotonic());
      if (number === 1) await clock.sleep(1000); // nobody was free to take the next one
    }
    expect(times).toEqual([0, 1000, 1080, 1180]); // but for the few milliseconds that a timer may be late
  });

  it('has every number once and in order, also without a limit', async () => {
    const numbers: number[] = [];
    const clock = new TurnedClock();
    for await (const portion of paced({ count: 2500, ratePerSecond: Infinity, clock, signal: NEVER })) {
      numbers.push(...portion);
    }
    expect(numbers).toEqual(Array.from({ length: 2500 }, (_, index) => index + 1));
    expect(clock.slept).toEqual([]);
  });

  it('ends out of a wait when the signal aborts', async () => {
    const stop = new AbortController();
    const pace = paced({ count: 2, ratePerSecond: 1, clock: new TurnedClock(), signal: stop.signal });
    await pace.next();
    stop.abort(new Error('enough'));
    await expect(pace.next()).rejects.toThrow('enough');
  });
});

async function timesOf(
  clock: TurnedClock,
  { count, ratePerSecond }: { count: number; ratePerSecond: number },
): Promise<number[]> {
  const times: number[] = [];
  for await (const portion of paced({ count, ratePerSecond, clock, signal: NEVER })) {
    expect(portion).toEqual([times.length + 1]);
    times.push(clock.monotonic());
  }
  return times;
}
