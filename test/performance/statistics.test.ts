import { describe, expect, it } from 'vitest';
import { compare, margin, median, summarize } from '../../bench/statistics.js';

describe('the median', () => {
  it.each([
    [[5], 5],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[100, 9], 54.5],
  ])('of %j is %d', (values, middle) => {
    expect(median(values)).toBe(middle);
  });

  it('does not change what it is given', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('of nothing is an error, and no number', () => {
    expect(() => median([])).toThrow('no middle of nothing');
  });
});

it('a summary has the middle and both ends', () => {
  expect(summarize([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
});

it('a comparison has the ratio of the medians, and the ends of the ratios of rounds', () => {
  // the rounds are 2, 1 and 4 times the peer; the medians are 40 and 20
  expect(compare([40, 20, 80], [20, 20, 20])).toEqual({ of_medians: 2, min: 1, max: 4 });
});

describe('the margin is above 1 beyond the reach, whichever way it goes', () => {
  it.each([
    [1.3, { at_most: 1.3 }, 1],
    [0.65, { at_most: 1.3 }, 2],
    [2.6, { at_most: 1.3 }, 0.5],
    [1.2, { at_least: 1.2 }, 1],
    [2.4, { at_least: 1.2 }, 2],
    [0.6, { at_least: 1.2 }, 0.5],
  ])('a ratio of %d with the reach %j', (ratio, reach, times) => {
    expect(margin(ratio, reach)).toBeCloseTo(times, 12);
  });
});
