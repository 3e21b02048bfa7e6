import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/listen/pace.js';

const EARLY = { timeoutMs: 30_000, elapsedMs: 3, isEmpty: true };

function paceAfter(...polls: readonly (typeof EARLY)[]): Pace {
  const pace = new Pace();
  for (const poll of polls) pace.note(poll);
  return pace;
}

describe('the pause before the next poll', () => {
  it('grows from the second poll that came back early with nothing, to some seconds', () => {
    const pace = new Pace();
    const pauses: number[] = [];
    for (let poll = 0; poll < 8; poll += 1) {
      pauses.push(pace.pauseMs(0.5));
      pace.note(EARLY);
    }
    expect(pauses).toEqual([0, 0, 500, 1000, 2000, 4000, 5000, 5000]);
  });

  it('is never next to nothing', () => {
    expect(paceAfter(EARLY, EARLY).pauseMs(0)).toBe(100);
  });

  it.each([
    ['an event', { ...EARLY, isEmpty: false }],
    ['a poll that was held', { ...EARLY, elapsedMs: 25_000 }],
    ['a short poll that was held', { ...EARLY, timeoutMs: 200, elapsedMs: 200 }],
  ])('ends with %s', (_what, poll) => {
    expect(paceAfter(EARLY, EARLY, EARLY, poll).pauseMs(0.5)).toBe(0);
  });

  it('does not count requests that were to come back at once', () => {
    const atOnce = { ...EARLY, timeoutMs: 0 };
    expect(paceAfter(atOnce, atOnce, atOnce).pauseMs(0.5)).toBe(0);
  });
});
