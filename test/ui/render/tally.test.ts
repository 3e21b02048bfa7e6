import { describe, expect, it } from 'vitest';
import { tallyNotices } from '../../../src/ui/render/tally.js';

const NOTHING = { unselected: 0, hookFailures: 0, malformed: 0 };
const DEFAULT = { anySender: false, from: [] };

describe('tallyNotices', () => {
  it('has nothing to say where nothing was passed over', () => {
    expect(tallyNotices(NOTHING, DEFAULT)).toEqual([]);
  });

  it('tells of each kind, in singular and plural', () => {
    expect(
      tallyNotices({ unselected: 1, hookFailures: 2, malformed: 1 }, { ...DEFAULT, anySender: true }),
    ).toEqual([
      '1 event not selected by the filters',
      '2 events passed over: their hook failed',
      '1 item passed over: no events at all',
    ]);
  });

  it.each([
    [DEFAULT, true],
    [{ ...DEFAULT, anySender: true }, false],
    [{ ...DEFAULT, from: ['@a:b'] }, false],
  ])('names --any-sender where senders were not chosen: %j', (rules, isNamed) => {
    const [notice = ''] = tallyNotices({ ...NOTHING, unselected: 3 }, rules);
    expect(notice.includes('--any-sender')).toBe(isNamed);
  });
});
