import { describe, expect, it } from 'vitest';
import { tallyNotices } from '../../../src/ui/render/tally.js';

const NOTHING = { unselected: 0, hookFailures: 0, malformed: 0 };
const DEFAULT = { anySender: false, from: [] };

describe('tallyNotices', () => {
  it('has nothing to say where nothing was passed over', () => {
    expect(tallyNotices(NOTHING, DEFAULT, true)).toEqual([]);
  });

  it('tells of each kind, in singular and plural', () => {
    expect(
      tallyNotices({ unselected: 1, hookFailures: 2, malformed: 1 }, { ...DEFAULT, anySender: true }, true),
    ).toEqual([
      '1 event not selected by the filters, and gone: --peek looks without taking',
      '2 events passed over: their hook failed',
      '1 item passed over: no events at all',
    ]);
  });

  it.each([
    [DEFAULT, true],
    [{ ...DEFAULT, anySender: true }, false],
    [{ ...DEFAULT, from: ['@a:b'] }, false],
  ])('names --any-sender where senders were not chosen: %j', (rules, isNamed) => {
    const [notice = ''] = tallyNotices({ ...NOTHING, unselected: 3 }, rules, true);
    expect(notice.includes('--any-sender')).toBe(isNamed);
  });

  it('does not say that what was only looked at is gone', () => {
    expect(tallyNotices({ ...NOTHING, unselected: 1 }, { ...DEFAULT, anySender: true }, false)).toEqual([
      '1 event not selected by the filters',
    ]);
  });
});
