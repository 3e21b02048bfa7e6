import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram, RELATIVE_ERROR } from '../../src/bench/histogram.js';

describe('a histogram', () => {
  it('tells every percentile to within its stated error, as a sorted list would', () => {
    const durations = fc.array(fc.double({ min: 0.001, max: 3_600_000, noNaN: true }), {
      minLength: 1,
      maxLength: 300,
    });
    const share = fc.integer({ min: 1, max: 1000 }).map((thousandths) => thousandths / 1000);
    fc.assert(
      fc.property(durations, share, (values, wanted) => {
        const exact = slowPercentile(values, wanted);
        const told = histogramOf(values).percentileMs(wanted) ?? NaN;
        expect(Math.abs(told - exact) / exact).toBeLessThanOrEqual(RELATIVE_ERROR + 1e-9);
      }),
    );
  });

  it('has the shortest, the longest and the mean exactly', () => {
    expect(histogramOf([3, 1, 2.5, 1.5]).summary()).toMatchObject({ minMs: 1, maxMs: 3, meanMs: 2 });
  });

  it('has nothing to tell of nothing', () => {
    const empty = new Histogram();
    expect([empty.count, empty.summary(), empty.percentileMs(0.5), empty.buckets(), empty.rows(5)]).toEqual([
      0,
      undefined,
      undefined,
      [],
      [],
    ]);
  });

  it('tells the one duration that there is for every percentile', () => {
    const summary = histogramOf([1.234]).summary();
    expect(summary).toEqual({
      minMs: 1.234,
      meanMs: 1.234,
      p50Ms: 1.234,
      p90Ms: 1.234,
      p99Ms: 1.234,
      maxMs: 1.234,
    });
  });

  it('takes what is out of its range, and keeps count of it', () => {
    const odd = histogramOf([0, -1, 0.0001, 1e12]);
    expect(odd.count).toBe(4);
    expect(odd.summary()).toMatchObject({ minMs: 0, maxMs: 1e12 });
    expect(total(odd.buckets())).toBe(4);
  });

  it('holds in each bucket what is longer than the one before ends, and counts every duration once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 10_000, noNaN: true }), { minLength: 1 }),
        (values) => {
          const buckets = histogramOf(values).buckets();
          expect(total(buckets)).toBe(values.length);
          for (const { uptoMs, count } of buckets) {
            const upto = values.filter((value) => value <= uptoMs * (1 + 1e-9)).length;
            expect(upto).toBe(total(buckets.filter((each) => each.uptoMs <= uptoMs)));
            expect(count).toBeGreaterThan(0);
          }
        },
      ),
    );
  });

  it('takes no more memory for a million durations than for one', () => {
    const many = new Histogram();
    for (let n = 0; n < 1_000_000; n += 1) many.add((n % 1000) + 1);
    expect(many.count).toBe(1_000_000);
    expect(many.buckets().length).toBeLessThan(400);
  });
});

describe('its rows', () => {
  it('are at most as many as there is room for, empty ones between, and hold the same', () => {
    const rows = histogramOf([1, 1, 1, 1000]).rows(5);
    expect(rows.map(({ count }) => count)).toEqual([3, 0, 0, 0, 1]);
    expect(rows.at(-1)?.uptoMs).toBeGreaterThanOrEqual(1000);
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 1 }),
        fc.integer({ min: 1, max: 30 }),
        (values, room) => {
          const all = histogramOf(values).rows(room);
          expect(all.length).toBeLessThanOrEqual(room);
          expect(total(all)).toBe(values.length);
        },
      ),
    );
  });
});

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

/** By nearest rank, from all the values. */
function slowPercentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? NaN;
}

function total(buckets: readonly { readonly count: number }[]): number {
  return buckets.reduce((sum, { count }) => sum + count, 0);
}
