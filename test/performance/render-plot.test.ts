import { describe, expect, it } from 'vitest';
import { renderPlot } from '../../bench/render-plot.js';
import { missingRow, ratioOf, rowOf } from './rows-for-tests.js';

const GREEN = '#2a9d5c';
const RED = '#d1495b';

describe('the plot', () => {
  it('draws what is reached to the right of the reach, and what is not to the left', () => {
    const [good, bad] = [barOf(rowOf(ratioOf(1))), barOf(rowOf(ratioOf(4)))];
    expect(good).toMatchObject({ fill: GREEN });
    expect(bad).toMatchObject({ fill: RED });
    expect(bad.x + bad.width).toBeCloseTo(bad.reach, 0);
    expect(good.x).toBeCloseTo(good.reach, 0);
  });

  it('draws a rate that has to be great the other way round', () => {
    const reach = { at_least: 2 };
    expect(barOf(rowOf({ reach, ...ratioOf(4) })).fill).toBe(GREEN);
    expect(barOf(rowOf({ reach, ...ratioOf(1) })).fill).toBe(RED);
  });

  it('draws twice as good and twice as bad equally long', () => {
    const [good, bad] = [barOf(rowOf(ratioOf(1))), barOf(rowOf(ratioOf(4)))];
    expect(good.width).toBeCloseTo(bad.width, 0);
  });

  it('has no bar for what was not measured, and says so', () => {
    const plot = renderPlot([missingRow()]);
    expect(plot).toContain('>not measured</text>');
    expect(plot).not.toMatch(new RegExp(`${GREEN}|${RED}`));
  });

  it('escapes what would be markup', () => {
    expect(renderPlot([rowOf()])).toContain('mx2s &lt;at&gt; work');
  });

  it('stays inside its frame, however far off a ratio is', () => {
    const plot = renderPlot([
      rowOf(ratioOf(1000)),
      rowOf({ ratio: { of_medians: 0.001, min: 0.0001, max: 1 } }),
    ]);
    const [, width] = /viewBox="0 0 (\d+) /.exec(plot) ?? [];
    const places = [...plot.matchAll(/ x="([-\d.]+)"/g)].map(([, x]) => Number(x));
    expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...places)).toBeLessThan(Number(width));
  });
});

function barOf(row: Parameters<typeof renderPlot>[0][number]) {
  const plot = renderPlot([row]);
  const [, x, width, fill] = /<rect x="([\d.]+)" .*width="([\d.]+)" .*fill="(#[0-9a-f]+)"/.exec(plot) ?? [];
  const [, reach] = /<path d="M([\d.]+) .*stroke="#222"\/>\n<text [^>]*>reach</.exec(plot) ?? [];
  return { x: Number(x), width: Number(width), fill, reach: Number(reach) };
}
