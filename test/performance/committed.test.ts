/** The committed figures, without measuring any. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderPlot } from '../../bench/render-plot.js';
import { renderPerformance } from '../../bench/render-table.js';
import type { Report } from '../../bench/report.js';
import { LIMITS, ROWS } from '../../bench/rows.js';

const report = JSON.parse(read('performance.json')) as Report;

describe('docs/performance', () => {
  it('has every row, as it is measured today', () => {
    const facts = ({ id, work, peer, compared, reach }: (typeof ROWS)[number] | Report['rows'][number]) => ({
      id,
      work,
      peer,
      compared,
      reach,
    });
    expect(report.rows.map(facts)).toEqual(ROWS.map(facts));
  });

  it('shows people all that was measured', () => {
    expect(read('performance.md')).toBe(renderPerformance(report, LIMITS));
    expect(read('performance.svg')).toBe(renderPlot(report.rows));
  });
});

function read(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
}
