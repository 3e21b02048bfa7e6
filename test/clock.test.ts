import { describe, expect, it } from 'vitest';
import { systemClock } from '../src/clock.js';

describe('systemClock.sleep', () => {
  it('ends when the time is over', async () => {
    const startedAtMs = systemClock.monotonic();
    await systemClock.sleep(20);
    expect(systemClock.monotonic() - startedAtMs).toBeGreaterThanOrEqual(19);
  });

  // Node's timers would take such a time for one millisecond
  it.each([60_000, 2 ** 31, Number.MAX_SAFE_INTEGER, Infinity])(
    'of %d ms ends when the signal aborts, with its reason, and not before',
    async (ms) => {
      const stop = new AbortController();
      const reason = new Error('enough');
      const slept = systemClock.sleep(ms, stop.signal);
      const first = await Promise.race([
        slept.then(() => 'slept'),
        systemClock.sleep(20).then(() => 'awake'),
      ]);
      expect(first).toBe('awake');
      stop.abort(reason);
      await expect(slept).rejects.toBe(reason);
    },
  );

  it('does not begin after the signal', async () => {
    const reason = new Error('enough');
    await expect(systemClock.sleep(0, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
