/** What results come to. Pure. */
import type { Verdict } from './probe.js';
import { requirementOf } from './requirements.js';
import type { Result } from './runner.js';

/** How many results there are of each verdict, and how many of them count against the server. */
export interface Tally extends Readonly<Record<Verdict, number>> {
  readonly counting: number;
}

/**
 * Does the result count against the server? A `fail` does where MSC4246 or the specification demands it with a *must*;
 * nobody's server fails for a reading of ours. When strict, every `fail` does, and what was inconclusive.
 */
export function countsAgainst({ requirement, verdict, basis }: Result, isStrict: boolean): boolean {
  if (verdict === 'inconclusive') return isStrict;
  if (verdict !== 'fail') return false;
  return isStrict || (requirementOf(requirement).level === 'must' && basis !== 'reading');
}

/** Counts results. */
export function tallyOf(results: readonly Result[], isStrict: boolean): Tally {
  const count = (verdict: Verdict): number => results.filter((each) => each.verdict === verdict).length;
  return {
    pass: count('pass'),
    fail: count('fail'),
    inconclusive: count('inconclusive'),
    skipped: count('skipped'),
    counting: results.filter((each) => countsAgainst(each, isStrict)).length,
  };
}
