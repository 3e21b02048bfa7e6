import { describe, expect, it } from 'vitest';
import { setback, whyNotComparable } from '../../bench/guard.js';
import type { MeasuredRow, Report } from '../../bench/report.js';
import { missingRow, ratioOf, rowOf } from './rows-for-tests.js';

describe('where a ratio may be at most so much, it is a setback', () => {
  it.each([
    [1.5, 1.9, undefined],
    [1.5, 2.1, '1: the ratio is 2.10, and was 1.50'],
    [1.5, 0.5, undefined],
  ])('from %d to %d: %j', (was, is, words) => {
    expect(setback(rowOf(ratioOf(is)), reportOf(rowOf(ratioOf(was))))).toBe(words);
  });
});

describe('where a ratio has to be at least so much, it is a setback', () => {
  const reach = { at_least: 1 };
  it.each([
    [1.2, 0.95, undefined],
    [1.2, 0.89, '1: the ratio is 0.89, and was 1.20'],
    [1.2, 9, undefined],
  ])('from %d to %d: %j', (was, is, words) => {
    const before = reportOf(rowOf({ reach, ...ratioOf(was) }));
    expect(setback(rowOf({ reach, ...ratioOf(is) }), before)).toBe(words);
  });
});

describe('nothing is held against', () => {
  it.each<[string, MeasuredRow, Report]>([
    ['a row that is new', rowOf(ratioOf(100)), reportOf(rowOf({ id: '2' }))],
    ['a row that could not be measured before', rowOf({ id: '5', ...ratioOf(100) }), reportOf(missingRow())],
    ['a row that cannot be measured now', missingRow(), reportOf(rowOf({ id: '5' }))],
  ])('%s', (_what, now, before) => {
    expect(setback(now, before)).toBeUndefined();
  });
});

it('figures of a machine with as many processors can be compared, and no others', () => {
  const { machine } = reportOf();
  expect(whyNotComparable({ ...machine, processor: 'another' }, reportOf())).toBeUndefined();
  expect(whyNotComparable({ ...machine, processors: 8 }, reportOf())).toMatch(/2 processors.*this one has 8/);
});

function reportOf(...rows: MeasuredRow[]): Report {
  const machine = { processor: 'one', processors: 2, memory_gib: 4, system: 'Linux' };
  return { v: 1, measured_at: '2026-01-01T00:00:00.000Z', machine, versions: {}, rows };
}
