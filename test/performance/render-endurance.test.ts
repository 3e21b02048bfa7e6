import { describe, expect, it } from 'vitest';
import type { Endurance } from '../../bench/endurance/endurance.js';
import { renderEndurance, renderMemoryPlot } from '../../bench/endurance/render-endurance.js';

describe('the report on endurance', () => {
  it('has a line for each way that events come, and how memory has grown', () => {
    const text = renderEndurance(REPORT);
    expect(text).toContain('| 1,000,000 from a backlog, 100 in an answer | 8 s | 94 MB |');
    expect(text).toContain('| 1,000,000 from a backlog, 100,000 (some 10 MB) in an answer | 5 s | 180 MB |');
    expect(text).toContain('| 800 as they come, 200 a second | 4 s | 70 MB |');
    expect(text).toContain('60.0 MB were resident in the second quarter of the time and 62.0 MB in the last');
  });

  it('plots from nothing up', () => {
    const plot = renderMemoryPlot(REPORT.steady);
    expect(plot).toContain('>0 MB<');
    expect(plot).toContain('>75 MB<');
  });
});

const REPORT: Endurance = {
  measuredAt: '2026-01-01T00:00:00.000Z',
  machine: { processor: 'a processor', processors: 2, memory_gib: 4, system: 'Linux' },
  versions: { node: '20.19' },
  flood: { events: 1_000_000, seconds: 8.2, peakMb: 94.2, samples: [] },
  largeAnswers: { events: 1_000_000, seconds: 5.1, peakMb: 180, samples: [] },
  steady: {
    events: 800,
    seconds: 4,
    peakMb: 70,
    samples: [50, 60, 61, 62].map((residentMb, index) => ({ second: index + 1, residentMb })),
  },
};
