import { describe, expect, it, vi } from 'vitest';
import { Limit } from '../../src/http/limit.js';

const LATE = new Error('late');
const GONE = new Error('gone');

function limitOf(timeoutMs: number, signal?: AbortSignal): { limit: Limit; reached: Promise<unknown> } {
  const limit = new Limit(timeoutMs, () => LATE, signal);
  return { limit, reached: new Promise((resolve) => limit.watch(resolve)) };
}

describe('a limit', () => {
  it('is reached when the time is up', async () => {
    const { limit, reached } = limitOf(1);
    expect(await reached).toBe(LATE);
    expect(() => limit.throwIfReached()).toThrow(LATE);
  });

  it('is reached when the signal aborts, with its reason; what comes later changes nothing', async () => {
    const stop = new AbortController();
    const { limit, reached } = limitOf(60_000, stop.signal);
    limit.throwIfReached();
    stop.abort(GONE);
    expect(await reached).toBe(GONE);
    expect(() => limit.throwIfReached()).toThrow(GONE);
    limit.lift();
  });

  it('is not begun under a signal that has aborted', () => {
    expect(() => new Limit(60_000, () => LATE, AbortSignal.abort(GONE))).toThrow(GONE);
  });

  it('that was lifted is never reached', () => {
    vi.useFakeTimers();
    try {
      const stop = new AbortController();
      const limit = new Limit(10, () => LATE, stop.signal);
      const onEnd = vi.fn();
      limit.watch(onEnd);
      limit.lift();
      stop.abort(GONE);
      expect(vi.getTimerCount()).toBe(0);
      expect(onEnd).not.toHaveBeenCalled();
    } finally {
      vi.useRealTimers();
    }
  });
});
