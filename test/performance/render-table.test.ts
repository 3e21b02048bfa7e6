import { describe, expect, it } from 'vitest';
import { renderFigure, renderPerformance, renderTable } from '../../bench/render-table.js';
import type { MeasuredRow, Report } from '../../bench/report.js';
import type { Limit } from '../../bench/row.js';
import { missingRow, ratioOf, rowOf } from './rows-for-tests.js';

describe('the table', () => {
  it('has figures, ratio and reach of each row', () => {
    expect(bodyOf(renderTable([rowOf()]))).toEqual([
      '| 1 | `mx2s` <at> work | a peer | wall time | **30.0 ms** (20.0–40.0) | **20.0 ms** (10.0–30.0) | **1.50** (1.00–3.00) | 3 | ≤ 2 | yes | 0.3 |',
    ]);
  });

  it('says what is not reached', () => {
    const [row] = bodyOf(renderTable([rowOf({ compared: 'rate', reach: { at_least: 1.6 } })]));
    expect(row).toMatch(/\*\*30\.0\/s\*\* .*\| ≥ 1\.6 \| \*\*no\*\* \|/);
  });

  it('says loudly what was not measured, with no figure beside it', () => {
    const [row] = bodyOf(renderTable([missingRow()]));
    expect(row).toContain('**not measured: no Go: "go version" fails**');
    expect(row).toContain('| ≤ 2 | ? |');
  });

  it('has as many cells in each line', () => {
    const lines = renderTable([rowOf(), missingRow()]).trimEnd().split('\n');
    expect(new Set(lines.map((line) => line.split(' | ').length)).size).toBe(1);
  });
});

describe('a figure', () => {
  it.each([
    [1_234_567.8, '1 234 568'],
    [999.5, '1 000'],
    [123.45, '123'],
    [12.345, '12.3'],
    [1.2345, '1.23'],
    [0.016, '0.02'],
  ])('%d is %s', (figure, text) => {
    expect(renderFigure(figure)).toBe(text);
  });
});

describe('the page', () => {
  it('gives the reason of what is not reached, or says that there is none', () => {
    const rows = [
      rowOf(ratioOf(3)),
      rowOf({ id: '2', ...ratioOf(3) }),
      rowOf({ id: '3' }),
      rowOf({
        id: '4',
        limit_ratio: { of_medians: 2.5, min: 2, max: 3 },
        ...ratioOf(3),
      }),
    ];
    const page = pageOf(rows, {
      '2': { reason: 'It is the kernel.' },
      '4': { who: 'A bare script', reason: 'It is the kernel.' },
    });
    expect(page).toContain(
      '- **1**: no reason is known yet.\n- **2**: It is the kernel.\n' +
        '- **4**: A bare script comes to **2.50** (2.00–3.00). It is the kernel.\n',
    );
    expect(page).not.toContain('**3**:');
  });

  it('has no such part when all is reached', () => {
    expect(pageOf([rowOf()])).not.toContain('not reached, and why');
  });

  it('says with what it was measured, and when', () => {
    expect(pageOf([])).toMatch(
      /\| measured \| 2026-01-01T00:00:00\.000Z \|\n\| machine \| one, 2 processors, 4 GiB \|/,
    );
    expect(pageOf([rowOf(), missingRow()])).toContain('| node | 20.19 |\n| Go | 1.26 |');
  });
});

function bodyOf(table: string): string[] {
  return table.trimEnd().split('\n').slice(2);
}

function pageOf(rows: MeasuredRow[], limits: Record<string, Limit> = {}): string {
  const machine = { processor: 'one', processors: 2, memory_gib: 4, system: 'Linux' };
  const report: Report = {
    v: 1,
    measured_at: '2026-01-01T00:00:00.000Z',
    machine,
    versions: { node: '20.19' },
    rows,
  };
  return renderPerformance(report, new Map(Object.entries(limits)));
}
