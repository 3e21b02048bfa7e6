import { describe, expect, it } from 'vitest';
import { GROWTHS, type Curve } from '../../bench/scale/growth.js';
import { renderScale, renderScalePlot } from '../../bench/scale/render-scale.js';

describe('the report on scale', () => {
  it('has a cell for each size that was reached, and says why others were not', () => {
    const text = renderScale(REPORT);
    expect(text).toContain('| store | 100 | 1000 |');
    expect(text).toContain('| memory | 4.0 | 5.0 |');
    expect(text).toContain('| SQLite (not filled beyond 500 in time) | 90.0 | – |');
    expect(text).toContain('| 9800 (ulimit -n is 10000) | 1.25 ms | 9.00 ms | 300 MB |');
  });

  it('plots a line a curve', () => {
    expect(renderScalePlot(REPORT.curves).match(/stroke-width="2"/g)).toHaveLength(2);
  });
});

const [GROWTH] = GROWTHS;
if (GROWTH === undefined) throw new Error('nothing grows');
const CURVES: readonly Curve[] = [
  {
    growth: GROWTH,
    store: 'memory',
    points: [
      { size: 100, us: 4 },
      { size: 1000, us: 5 },
    ],
    ended: undefined,
  },
  {
    growth: GROWTH,
    store: 'SQLite',
    points: [{ size: 100, us: 90 }],
    ended: 'not filled beyond 500 in time',
  },
];
const REPORT = {
  measuredAt: '2026-01-01T00:00:00.000Z',
  machine: { processor: 'a processor', processors: 2, memory_gib: 4, system: 'Linux' },
  versions: { node: '20.20.0' },
  load: 0.5,
  curves: CURVES,
  polls: [
    { wanted: 10_000, open: 9800, limit: 'ulimit -n is 10000', p50Ms: 1.25, p99Ms: 9, residentMb: 300 },
  ],
};
