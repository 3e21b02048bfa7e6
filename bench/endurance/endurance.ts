/**
 * `npm run bench:endurance [-- --minutes 60]`: how much memory `listen` takes while a million events come, while 200 come a
 * second for an hour, and while one answer has 10 MB. With 60 minutes, writes docs/endurance.md and docs/endurance.svg.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeMachine, ownVersions } from '../machine.js';
import { watchListen, type Watched } from './listen.js';
import { renderEndurance, renderMemoryPlot } from './render-endurance.js';

/** What was measured. */
export interface Endurance {
  readonly measuredAt: string;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly versions: Readonly<Record<string, string>>;
  /** From a backlog, 100 in an answer. */
  readonly flood: Watched;
  /** From a backlog, some 10 MB in an answer. */
  readonly largeAnswers: Watched;
  /** At a steady rate. */
  readonly steady: Watched;
}

/** Gives the exit status. */
export async function endurance(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { minutes: { type: 'string', default: '60' } } });
  const minutes = Number(values.minutes);
  if (!(Number.isInteger(minutes) && minutes > 0)) throw new Error('--minutes: a whole number above 0');
  const measuredAt = new Date().toISOString();
  const flood = await watchListen({ backlog: 1_000_000 }, say);
  const largeAnswers = await watchListen({ backlog: 1_000_000, batch: 100_000 }, say);
  const steady = await watchListen(
    { coming: { perSecond: PER_SECOND, total: PER_SECOND * 60 * minutes } },
    say,
  );
  const report = {
    measuredAt,
    machine: describeMachine(),
    versions: ownVersions(),
    flood,
    largeAnswers,
    steady,
  };
  process.stdout.write(renderEndurance(report));
  if (minutes === 60) {
    await writeFile(new URL('../../docs/endurance.md', import.meta.url), renderEndurance(report));
    await writeFile(new URL('../../docs/endurance.svg', import.meta.url), renderMemoryPlot(steady));
  }
  return 0;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const PER_SECOND = 200;
