/**
 * `npm run bench [-- --only 1,2] [--rounds N] [--guard]`: mx2s against its peers, in the same run, pair by pair.
 *
 * All rows together are written down in docs/; some of them are only shown, because what stands there is of one run.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { setback, whyNotComparable } from './guard.js';
import { describeMachine, ownVersions } from './machine.js';
import { measureRow } from './measure.js';
import { chosen, parseBenchOptions } from './options.js';
import { renderPlot } from './render-plot.js';
import { renderLimits, renderPerformance, renderTable } from './render-table.js';
import { isMeasured, type MeasuredRow, type Report } from './report.js';
import type { Row } from './row.js';
import { LIMITS, ROWS } from './rows.js';

/** Gives the exit status: 1 when a row could not be measured, or the guard has something to say. */
export async function bench(args: readonly string[]): Promise<number> {
  const { only, rounds, guard } = parseBenchOptions(args);
  const rows = chosen(ROWS, only);
  if (guard) return guarded(rows, rounds);
  const machine = describeMachine();
  const measuredAt = new Date().toISOString();
  const measured: MeasuredRow[] = [];
  for (const row of rows) {
    measured.push(await measureRow(row, { rounds: rounds ?? row.rounds, limits: true, say }));
  }
  const report: Report = {
    v: 1,
    measured_at: measuredAt,
    machine,
    versions: ownVersions(),
    rows: measured,
  };
  process.stdout.write(`${renderTable(measured)}\n${renderLimits(measured, LIMITS)}`);
  if (only === undefined) await write(report);
  return measured.every(isMeasured) ? 0 : 1;
}

/**
 * Measures briefly, and holds it against what is committed. What is worse is measured again: a hiccup passes. Gives the exit
 * status, 77 when nothing can be held against it here.
 */
async function guarded(rows: readonly Row[], rounds = GUARD_ROUNDS): Promise<number> {
  const effort = { rounds, limits: false, say };
  const before = JSON.parse(await readFile(new URL('performance.json', DOCS), 'utf8')) as Report;
  const obstacle = whyNotComparable(describeMachine(), before);
  if (obstacle !== undefined) {
    say(`NOT COMPARED: ${obstacle}`);
    return NOT_HERE;
  }
  const measured: MeasuredRow[] = [];
  const setbacks: string[] = [];
  for (const row of rows.filter(({ isGuarded }) => isGuarded)) {
    let now: MeasuredRow;
    let worse: string | undefined;
    let tries = 0;
    do {
      now = await measureRow(row, effort);
      worse = setback(now, before);
      tries += 1;
    } while (worse !== undefined && tries < GUARD_TRIES);
    measured.push(now);
    if (worse !== undefined) setbacks.push(worse);
  }
  process.stdout.write(renderTable(measured));
  for (const each of setbacks) process.stdout.write(`WORSE BY A THIRD: ${each}\n`);
  const compared = measured.filter(isMeasured).length;
  process.stdout.write(`${String(compared)} of ${String(measured.length)} rows compared\n`);
  if (setbacks.length > 0) return 1;
  return compared > 0 ? 0 : NOT_HERE;
}

async function write(report: Report): Promise<void> {
  const files = {
    'performance.md': renderPerformance(report, LIMITS),
    'performance.json': `${JSON.stringify(report, undefined, 2)}\n`,
    'performance.svg': renderPlot(report.rows),
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(new URL(name, DOCS), text);
    process.stdout.write(`docs/${name}\n`);
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const DOCS = new URL('../docs/', import.meta.url);
const GUARD_ROUNDS = 3;
const GUARD_TRIES = 3;
/** As `.ci/run` understands it. */
const NOT_HERE = 77;
