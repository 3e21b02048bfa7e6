import { describe, expect, it } from 'vitest';
import { HookFailedError } from '../../src/errors.js';
import { retryingHook, type Hook } from '../../src/listen/hook.js';
import { receivedEvent } from '../../src/todevice/received.js';
import { eventOf, ManualClock, NEVER, OWN_SERVER } from './kit.js';

const EVENT = receivedEvent(eventOf(1), OWN_SERVER, 0);

function failing(
  times: number,
  error: Error = new HookFailedError('no'),
): { hook: Hook; calls: () => number } {
  let calls = 0;
  const hook: Hook = () => ((calls += 1) <= times ? Promise.reject(error) : Promise.resolve());
  return { hook, calls: () => calls };
}

describe('retryingHook', () => {
  it('tries again with growing pauses', async () => {
    const clock = new ManualClock();
    const { hook, calls } = failing(3);
    const told: number[] = [];
    const retrying = retryingHook(hook, {
      retries: 3,
      clock,
      chance: { fraction: () => 0.5 },
      onRetry: (_error, delayMs) => told.push(delayMs),
    });
    const taken = retrying(EVENT, NEVER);
    for (const pauseMs of [500, 1000, 2000]) {
      expect(await clock.sleeping()).toBe(pauseMs);
      clock.advance(pauseMs);
    }
    await taken;
    expect(calls()).toBe(4);
    expect(told).toEqual([500, 1000, 2000]);
  });

  it.each([
    ['the last failure', new HookFailedError('no'), 2],
    ['a bug, at once', new TypeError('bug'), 1],
  ])('throws %s', async (_what, error, expectedCalls) => {
    const clock = new ManualClock();
    const { hook, calls } = failing(9, error);
    const limits = { retries: 1, clock, chance: { fraction: () => 0 }, onRetry: () => undefined };
    const refused = expect(retryingHook(hook, limits)(EVENT, NEVER)).rejects.toBe(error);
    if (expectedCalls > 1) {
      await clock.sleeping();
      clock.advance(0);
    }
    await refused;
    expect(calls()).toBe(expectedCalls);
  });

  it('ends a pause when the signal aborts', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const limits = { retries: 9, clock, chance: { fraction: () => 0.5 }, onRetry: () => undefined };
    const taken = retryingHook(failing(9).hook, limits)(EVENT, stop.signal);
    await clock.sleeping();
    const reason = new Error('stop');
    stop.abort(reason);
    await expect(taken).rejects.toBe(reason);
  });
});
