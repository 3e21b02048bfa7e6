import { describe, expect, it } from 'vitest';
import { countsAgainst, tallyOf } from '../../src/check/report.js';
import type { Verdict } from '../../src/check/probe.js';
import type { Basis, RequirementId } from '../../src/check/requirements.js';
import type { Result } from '../../src/check/runner.js';

function result(requirement: RequirementId, verdict: Verdict, basis: Basis): Result {
  return { requirement, verdict, basis, seen: 'x', elapsedMs: 1 };
}

describe('what counts against a server', () => {
  it.each<[string, Result, boolean, boolean]>([
    ['a must of the proposal that fails', result('R-9', 'fail', 'proposal'), true, true],
    ['a must of the specification that fails', result('R-15', 'fail', 'spec'), true, true],
    ['a must of our reading that fails', result('R-24', 'fail', 'reading'), false, true],
    ['a must of the proposal that fails by our reading', result('R-25', 'fail', 'reading'), false, true],
    ['a should of the proposal that fails', result('R-21', 'fail', 'proposal'), false, true],
    ['a may that fails', result('R-37', 'fail', 'proposal'), false, true],
    ['what was inconclusive', result('R-9', 'inconclusive', 'proposal'), false, true],
    ['what was skipped', result('R-9', 'skipped', 'proposal'), false, false],
    ['a pass', result('R-9', 'pass', 'proposal'), false, false],
  ])('%s', (_name, each, usually, strictly) => {
    expect([countsAgainst(each, false), countsAgainst(each, true)]).toEqual([usually, strictly]);
  });

  it('is counted beside the verdicts', () => {
    const results = [
      result('R-9', 'pass', 'proposal'),
      result('R-10', 'fail', 'proposal'),
      result('R-11', 'fail', 'reading'),
      result('R-12', 'inconclusive', 'reading'),
      result('R-21', 'skipped', 'proposal'),
      result('R-31', 'skipped', 'proposal'),
    ];
    expect(tallyOf(results, false)).toEqual({ pass: 1, fail: 2, inconclusive: 1, skipped: 2, counting: 1 });
    expect(tallyOf(results, true).counting).toBe(3);
    expect(tallyOf([], true)).toEqual({ pass: 0, fail: 0, inconclusive: 0, skipped: 0, counting: 0 });
  });
});
