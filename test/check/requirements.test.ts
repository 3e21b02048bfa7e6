/** The requirements of `check` agree with docs/requirements.md, and with the probes. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROBES, needsOf } from '../../src/check/cases.js';
import { REQUIREMENT_IDS, isRequirementId, requirementOf } from '../../src/check/requirements.js';

const page = readFileSync(new URL('../../docs/requirements.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| (R-\d+) \| ([^|]+) \| .* \| ([^|]*) \|$/gm)]
  .map(([, id = '', level = '', from = '']) => ({ id, level, from }))
  .filter(({ id }) => Number(id.slice(2)) >= 9);

function basisOf(from: string): string {
  if (from.includes('[D]')) return 'reading';
  return /\b(?:CS|SS)\b/.test(from) ? 'spec' : 'proposal';
}

describe('the requirements of check', () => {
  it('are those of a homeserver, in order', () => {
    expect(rows.map(({ id }) => id)).toEqual(REQUIREMENT_IDS);
  });

  it('have the levels and the bases of the page', () => {
    const ours = REQUIREMENT_IDS.map((id) => [id, requirementOf(id).level, requirementOf(id).basis]);
    expect(ours).toEqual(
      rows.map(({ id, level, from }) => [id, level.replace(' NOT', '').toLowerCase(), basisOf(from)]),
    );
  });

  it('have probes, or a reason why they have none', () => {
    for (const id of REQUIREMENT_IDS) {
      const { provable, why, title } = requirementOf(id);
      const hasProbes = PROBES.some(({ requirement }) => requirement === id);
      expect([id, hasProbes, why !== undefined]).toEqual([id, provable !== 'never', provable === 'never']);
      expect(title.length).toBeLessThan(50);
    }
  });

  it('have probes that can be told apart', () => {
    const names = PROBES.map(({ requirement, part = '' }) => `${requirement} ${part}`);
    expect(names).toEqual([...new Set(names)]);
    expect(names.filter((name) => name.includes(','))).toEqual([]);
  });

  it('say what they need', () => {
    expect(needsOf('R-9')).toEqual(['federation']);
    expect(needsOf('R-20')).toEqual(['registration']);
    expect(needsOf('R-35')).toEqual(['other', 'federation']);
    expect(needsOf('R-25')).toEqual([]);
    expect(needsOf('R-31')).toEqual([]);
  });

  // no title names one, for the tests do not hold it
  it('are told from other words', () => {
    const others = ['R-8', 'R-38', 'r-9', 'R-09', 'toString', ''];
    expect(others.filter(isRequirementId)).toEqual([]);
  });
});
