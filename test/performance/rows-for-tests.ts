/** Rows as they come out of a run. */
import type { MeasuredRow } from '../../bench/report.js';

/** A row whose ratio may be `at_most` 2, or other facts. */
export function rowOf(facts: Partial<MeasuredRow> = {}): MeasuredRow {
  return {
    id: '1',
    work: '`mx2s` <at> work',
    peer: 'a peer',
    compared: 'wall time',
    reach: { at_most: 2 },
    with: { Go: '1.26' },
    rounds: 3,
    ours: { median: 30, min: 20, max: 40 },
    theirs: { median: 20, min: 10, max: 30 },
    ratio: { of_medians: 1.5, min: 1, max: 3 },
    load_average: 0.25,
    ...facts,
  } as MeasuredRow;
}

/** A row that needs what is not there. */
export function missingRow(): MeasuredRow {
  const { id, work, peer, compared, reach } = rowOf({ id: '5' });
  return { id, work, peer, compared, reach, missing: 'no Go: "go version" fails' };
}

/** With such a ratio in each round. */
export function ratioOf(ratio: number) {
  return { ratio: { of_medians: ratio, min: ratio, max: ratio } };
}
