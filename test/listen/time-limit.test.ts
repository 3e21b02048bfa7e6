import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { TimeUp, unlessStopped, withinTime } from '../../src/listen/time-limit.js';
import { ManualClock, NEVER } from './kit.js';

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

describe('withinTime', () => {
  it('gives what the work gives, and leaves no timer behind', async () => {
    const clock = new ManualClock();
    const result = await withinTime({ clock, deadlineMs: 10, signal: NEVER }, () => Promise.resolve('done'));
    expect(result).toBe('done');
    expect(clock.sleeperCount).toBe(0);
  });

  it('ends the work at the deadline, and not before', async () => {
    const clock = new ManualClock();
    const work = withinTime({ clock, deadlineMs: 10, signal: NEVER }, untilAborted);
    const refused = expect(work).rejects.toBeInstanceOf(TimeUp);
    expect(await clock.sleeping()).toBe(10);
    clock.advance(4);
    expect(await clock.sleeping()).toBe(6);
    clock.advance(6);
    await refused;
  });

  it('goes on when the clock woke it too early', async () => {
    const clock = new ManualClock();
    const early = {
      ...bound(clock),
      sleep: (ms: number, s?: AbortSignal) => clock.sleep(Math.min(ms, 6), s),
    };
    const refused = expect(
      withinTime({ clock: early, deadlineMs: 10, signal: NEVER }, untilAborted),
    ).rejects.toBeInstanceOf(TimeUp);
    for (const leftMs of [6, 4]) {
      expect(await clock.sleeping()).toBe(leftMs);
      clock.advance(leftMs);
    }
    await refused;
  });

  it('does not begin after the deadline, or after the signal', async () => {
    const clock = new ManualClock();
    clock.advance(10);
    let begun = 0;
    const work = (): Promise<number> => Promise.resolve((begun += 1));
    await expect(withinTime({ clock, deadlineMs: 10, signal: NEVER }, work)).rejects.toBeInstanceOf(TimeUp);
    const reason = new Error('stop');
    const signal = AbortSignal.abort(reason);
    await expect(withinTime({ clock, deadlineMs: Infinity, signal }, work)).rejects.toBe(reason);
    expect(begun).toBe(0);
  });

  it.each([20, Infinity])("passes the signal's reason on (deadline %d)", async (deadlineMs) => {
    const stop = new AbortController();
    const work = withinTime({ clock: new ManualClock(), deadlineMs, signal: stop.signal }, untilAborted);
    const reason = new Error('stop');
    stop.abort(reason);
    await expect(work).rejects.toBe(reason);
  });

  it('works with the clock of the system', async () => {
    const limit = { clock: systemClock, deadlineMs: systemClock.monotonic() + 5, signal: NEVER };
    await expect(withinTime(limit, untilAborted)).rejects.toBeInstanceOf(TimeUp);
  });
});

describe('unlessStopped', () => {
  const hanging = new Promise<never>(() => undefined);

  it('gives what the work gives, also within the grace', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const limit = { clock, signal: stop.signal, graceMs: 500 };
    expect(await unlessStopped(Promise.resolve(1), limit)).toBe(1);
    stop.abort(new Error('stop'));
    expect(await unlessStopped(Promise.resolve(2), limit)).toBe(2);
    expect(clock.sleeperCount).toBe(0);
    await expect(unlessStopped(Promise.reject(new Error('fault')), limit)).rejects.toThrow('fault');
  });

  it('gives up when the grace after the signal is over', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const reason = new Error('stop');
    const refused = expect(unlessStopped(hanging, { clock, signal: stop.signal, graceMs: 500 })).rejects.toBe(
      reason,
    );
    stop.abort(reason);
    expect(await clock.sleeping()).toBe(500);
    clock.advance(500);
    await refused;
  });
});

function bound(clock: ManualClock): { now(): number; monotonic(): number } {
  return { now: () => clock.now(), monotonic: () => clock.monotonic() };
}
