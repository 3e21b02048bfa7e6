/**
 * `docs/performance.svg`: a bar a row, from the reach to what was measured. Pure.
 *
 * The axis is logarithmic and counts in times the reach, right is better, whichever way a ratio goes.
 */
import { isMeasured, type MeasuredRow } from './report.js';
import { renderFigure, renderReach } from './render-table.js';
import { margin } from './statistics.js';

export function renderPlot(rows: readonly MeasuredRow[]): string {
  const scale = scaleOf(rows);
  const bottom = TOP + rows.length * ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(bottom + BELOW)}" font-family="sans-serif" font-size="12">`,
    `<title>How each ratio stands to its reach</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...scale.ticks.flatMap((tick) => renderTick(tick, scale.place(tick), bottom)),
    ...rows.flatMap((row, index) => renderRow(row, TOP + index * ROW, scale.place)),
    text(
      (LEFT + RIGHT) / 2,
      bottom + 34,
      'times the reach (right is better; the thin line is from the worst round to the best)',
      'middle',
      '#555',
    ),
    '</svg>',
    '',
  ].join('\n');
}

interface Scale {
  readonly ticks: readonly number[];
  /** Where on the axis so many times the reach is. */
  place(times: number): number;
}

function renderRow(row: MeasuredRow, top: number, place: Scale['place']): string[] {
  const middle = top + ROW / 2;
  const name = text(LEFT - 10, middle + 4, `${row.id}  ${plain(row.work)}`, 'end', '#222');
  if (!isMeasured(row)) return [name, text(place(1) + 6, middle + 4, 'not measured', 'start', '#b00')];
  const { ratio, reach } = row;
  const times = margin(ratio.of_medians, reach);
  const [from, to] = ordered(place(1), place(times));
  const [worst, best] = ordered(place(margin(ratio.min, reach)), place(margin(ratio.max, reach)));
  const label = `${renderFigure(ratio.of_medians)} (${renderReach(reach)})`;
  return [
    name,
    `<rect x="${at(from)}" y="${at(middle - 7)}" width="${at(Math.max(to - from, 1))}" height="14" fill="${times >= 1 ? '#2a9d5c' : '#d1495b'}"/>`,
    `<path d="M${at(worst)} ${at(middle)}H${at(best)}" stroke="#222"/>`,
    text(RIGHT + 12, middle + 4, label, 'start', '#222'),
  ];
}

function renderTick(tick: number, x: number, bottom: number): string[] {
  const isReach = tick === 1;
  return [
    `<path d="M${at(x)} ${String(TOP)}V${String(bottom)}" stroke="${isReach ? '#222' : '#ddd'}"/>`,
    text(
      x,
      bottom + 16,
      isReach ? 'reach' : tick > 1 ? `× ${String(tick)}` : `÷ ${String(1 / tick)}`,
      'middle',
      '#555',
    ),
  ];
}

/** From a power of two below the worst to one above the best, and at least from a half to the double. */
function scaleOf(rows: readonly MeasuredRow[]): Scale {
  const all = rows
    .filter(isMeasured)
    .flatMap(({ ratio, reach }) =>
      Object.values(ratio).map((each: number) => Math.log2(margin(each, reach))),
    );
  const low = Math.floor(Math.min(-1, ...all));
  const high = Math.ceil(Math.max(1, ...all));
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 2 ** (low + index)),
    place: (times) => LEFT + ((Math.log2(times) - low) / (high - low)) * (RIGHT - LEFT),
  };
}

function text(x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end', fill: string): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" fill="${fill}">${escape(words)}</text>`;
}

function ordered(one: number, other: number): [number, number] {
  return one < other ? [one, other] : [other, one];
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function at(coordinate: number): string {
  return String(Math.round(coordinate * 10) / 10);
}

const WIDTH = 1060;
const LEFT = 480;
const RIGHT = 910;
const TOP = 16;
const ROW = 26;
const BELOW = 46;
