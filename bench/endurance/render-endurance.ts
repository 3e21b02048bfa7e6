/** `docs/endurance.md` and its plot. Pure. */
import { median } from '../statistics.js';
import { svgNumber as at, svgText as text } from '../svg.js';
import type { Endurance } from './endurance.js';
import type { Sample, Watched } from './listen.js';

export function renderEndurance({
  measuredAt,
  machine,
  versions,
  flood,
  largeAnswers,
  steady,
}: Endurance): string {
  const versionWords = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const [early, late] = quarters(steady.samples);
  return [
    '# Endurance',
    '',
    'Written by `npm run bench:endurance`; do not edit.',
    '',
    'How much memory `mx2s listen --json` has, read through a pipe:',
    '',
    '| events | time | most that was resident |',
    '| --- | --- | --- |',
    rowOf('from a backlog, 100 in an answer', flood),
    rowOf('from a backlog, 100,000 (some 10 MB) in an answer', largeAnswers),
    rowOf(`as they come, ${String(Math.round(steady.events / steady.seconds))} a second`, steady),
    '',
    `At the steady rate, ${early.toFixed(1)} MB were resident in the second quarter of the time and ${late.toFixed(1)} MB in the last (medians):`,
    '',
    '![What is resident, minute by minute](endurance.svg)',
    '',
    `Measured ${measuredAt} on ${machine.processor}, ${String(machine.processors)} processors, ${String(machine.memory_gib)} GiB, ${machine.system};`,
    `${versionWords.join(', ')}.`,
    '',
  ].join('\n');
}

/** From nothing up, so that growth is seen for what it is. */
export function renderMemoryPlot({ samples, seconds }: Watched): string {
  const top = Math.ceil(Math.max(...samples.map(({ residentMb }) => residentMb)) / 25) * 25;
  const x = (second: number): number => LEFT + (second / seconds) * (RIGHT - LEFT);
  const y = (megabytes: number): number => BOTTOM - (megabytes / top) * (BOTTOM - TOP);
  const line = samples.map(({ second, residentMb }) => `${at(x(second))} ${at(y(residentMb))}`).join('L');
  const marks = Array.from({ length: top / 25 + 1 }, (_, index) => index * 25);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" font-family="sans-serif" font-size="12">`,
    '<title>Resident memory of listen while events come</title>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...marks.flatMap((mark) => [
      `<path d="M${String(LEFT)} ${at(y(mark))}H${String(RIGHT)}" stroke="#ddd"/>`,
      text(LEFT - 8, y(mark) + 4, `${String(mark)} MB`, 'end', '#555'),
    ]),
    text(LEFT, BOTTOM + 18, '0', 'middle', '#555'),
    text(RIGHT, BOTTOM + 18, `${String(Math.round(seconds / 60))} minutes`, 'middle', '#555'),
    `<path d="M${line}" fill="none" stroke="#1f77b4" stroke-width="2"/>`,
    '</svg>',
    '',
  ].join('\n');
}

/** The first quarter is left out: that is where a program warms up. */
function quarters(samples: readonly Sample[]): [second: number, last: number] {
  const quarter = Math.ceil(samples.length / 4);
  const of = (part: readonly Sample[]): number => median(part.map(({ residentMb }) => residentMb));
  return [of(samples.slice(quarter, 2 * quarter)), of(samples.slice(-quarter))];
}

function rowOf(how: string, { events, seconds, peakMb }: Watched): string {
  return `| ${events.toLocaleString('en')} ${how} | ${seconds.toFixed(0)} s | ${peakMb.toFixed(0)} MB |`;
}

const WIDTH = 760;
const HEIGHT = 300;
const LEFT = 80;
const RIGHT = 720;
const TOP = 20;
const BOTTOM = 250;
