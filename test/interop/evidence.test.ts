/** What `npm run evidence` records, recorded anew: the programs of today still say what is committed as evidence. */
import { describe, expect, inject, it } from 'vitest';
import { recordWire } from '../evidence/record-wire.js';
import { evidenceFaults } from '../evidence/wire-evidence.js';

const found = inject('synapse');

describe.runIf(!('missing' in found))('the four shapes of the proposal on the wire', () => {
  it(
    'R-2 R-14 R-25 R-27 are those of the proposal, signed by who sends them',
    { timeout: 180_000 },
    async () => {
      if ('missing' in found) throw new Error(found.missing);
      const ports = { one: 0, two: 0, synapse: 0, speaker: 0 };
      const evidence = await recordWire({ python: found.python, ports });
      expect(await evidenceFaults(evidence)).toEqual([]);
      expect(evidence.runs.map(({ seen }) => seen.length)).toEqual([2, 4, 4, 4, 2]);
    },
  );
});
