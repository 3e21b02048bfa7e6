/** `docs/scale.md` and its plot. Pure. */
import type { Machine } from '../report.js';
import { svgNumber as at, svgText as text } from '../svg.js';
import type { Curve } from './growth.js';
import type { Polls } from './polls.js';

export interface ScaleReport {
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  /** How many processes wanted a processor at the end, on the average of a minute. */
  readonly load: number;
  readonly curves: readonly Curve[];
  readonly polls: readonly Polls[];
}

export function renderScale({ measuredAt, machine, versions, load, curves, polls }: ScaleReport): string {
  const sizes = [...new Set(curves.flatMap(({ points }) => points.map(({ size }) => size)))].sort(
    (a, b) => a - b,
  );
  const versionWords = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    '# Scale',
    '',
    'Written by `npm run bench:scale`; do not edit.',
    '',
    'What `serve` spends on one message to a device: microseconds of processor time to accept it, read it in a batch',
    'of 100 and forget it, without HTTP. From left to right there is more and more of what the row says.',
    '',
    `| there are so many | store | ${sizes.map(String).join(' | ')} |`,
    `| --- | --- |${' --- |'.repeat(sizes.length)}`,
    ...curves.map(({ growth, store, points, ended }) => {
      const cells = sizes.map((size) => points.find((point) => point.size === size)?.us.toFixed(1) ?? '–');
      return `| ${growth.words} | ${store}${ended === undefined ? '' : ` (${ended})`} | ${cells.join(' | ')} |`;
    }),
    '',
    'All of it is filled in one process, one row after the other. What the last column has more is the collector, which looks after',
    'gigabytes then: in a process of its own, a million devices in memory come to 7.5.',
    '',
    '![What a message costs, by how much there is](scale.svg)',
    '',
    '## Open long polls',
    '',
    'Each of a user of its own. From the request that sends a message to the answer of the poll that waits for it:',
    '',
    '| polls | p50 | p99 | memory of the server |',
    '| --- | --- | --- | --- |',
    ...polls.map(({ open, limit, p50Ms, p99Ms, residentMb }) => {
      const memory = residentMb === undefined ? 'unknown' : `${String(residentMb)} MB`;
      const count = limit === undefined ? String(open) : `${String(open)} (${limit})`;
      return `| ${count} | ${p50Ms.toFixed(2)} ms | ${p99Ms.toFixed(2)} ms | ${memory} |`;
    }),
    '',
    `Measured ${measuredAt} on ${machine.processor}, ${String(machine.processors)} processors, ${String(machine.memory_gib)} GiB, ${machine.system};`,
    `${versionWords.join(', ')}; load average ${load.toFixed(1)}.`,
    '',
  ].join('\n');
}

/** A line a curve; both axes are logarithmic, so a cost that doubles with what there is would be a straight slope. */
export function renderScalePlot(curves: readonly Curve[]): string {
  const all = curves.flatMap(({ points }) => points);
  const [left, right] = decades(all.map(({ size }) => size));
  const [bottom, top] = decades(all.map(({ us }) => us));
  const x = (size: number): number => LEFT + ((Math.log10(size) - left) / (right - left)) * (RIGHT - LEFT);
  const y = (us: number): number => BOTTOM - ((Math.log10(us) - bottom) / (top - bottom)) * (BOTTOM - TOP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" font-family="sans-serif" font-size="12">`,
    '<title>Processor time for a message, by how much there is</title>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...range(left, right).flatMap((power) => [
      `<path d="M${at(x(10 ** power))} ${String(TOP)}V${String(BOTTOM)}" stroke="#ddd"/>`,
      text(x(10 ** power), BOTTOM + 18, `10^${String(power)}`, 'middle', '#555'),
    ]),
    ...range(bottom, top).flatMap((power) => [
      `<path d="M${String(LEFT)} ${at(y(10 ** power))}H${String(RIGHT)}" stroke="#ddd"/>`,
      text(LEFT - 8, y(10 ** power) + 4, `${String(10 ** power)} µs`, 'end', '#555'),
    ]),
    ...curves.flatMap(({ growth, store, points }, index) => {
      const color = COLORS[index % COLORS.length] ?? '#222';
      const line = points.map(({ size, us }) => `${at(x(size))} ${at(y(us))}`).join('L');
      const label = `${growth.name}, ${store}`;
      return [
        `<path d="M${line}" fill="none" stroke="${color}" stroke-width="2"/>`,
        text(RIGHT + 12, TOP + 12 + index * 20, label, 'start', color),
      ];
    }),
    '</svg>',
    '',
  ].join('\n');
}

/** The powers of ten around the values. */
function decades(values: readonly number[]): [number, number] {
  const powers = values.map(Math.log10);
  const low = Math.floor(Math.min(...powers));
  return [low, Math.max(low + 1, Math.ceil(Math.max(...powers)))];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

const WIDTH = 760;
const HEIGHT = 360;
const LEFT = 80;
const RIGHT = 590;
const TOP = 20;
const BOTTOM = 310;
const COLORS = ['#1f77b4', '#aec7e8', '#2a9d5c', '#98d8b0', '#d1495b', '#f2a6b0'];
