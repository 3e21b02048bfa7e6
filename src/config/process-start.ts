/** Tells processes apart for good: a PID is given out again, a PID with its start time is not. */
import { promises as files } from 'node:fs';
import { platform } from 'node:os';
import { promisify } from 'node:util';
import { hasErrno } from './private-file.js';

/**
 * When the process `pid` started, as a word of letters, digits and hyphens that means something only when
 * compared; undefined when no such process lives. A zombie does not live: it waits for its parent, not to run.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  return platform() === 'linux' ? startFromProc(pid) : startFromPs(pid);
}

/** `/proc/PID/stat`, fields 3 (state) and 22 (start, in ticks since boot): proc_pid_stat(5). */
async function startFromProc(pid: number): Promise<string | undefined> {
  let stat: string;
  try {
    stat = await files.readFile(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
  // field 2 is the name in parentheses, which may itself hold spaces and parentheses
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0] ?? '';
  return DEAD_STATES.has(state) ? undefined : fields[19];
}

/** `ps`, where there is no `/proc`: macOS and the BSDs. */
async function startFromPs(pid: number): Promise<string | undefined> {
  const { execFile } = await import('node:child_process');
  let line: string;
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' },
    });
    line = stdout.trim();
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && error.stdout === '') return undefined; // ps found none: status 1
    throw error;
  }
  const [state = '', ...start] = line.split(/\s+/);
  return line === '' || state.startsWith('Z') ? undefined : start.join('-').replace(/[^\w-]/g, '');
}

/** Zombie and the two that the kernel uses for a moment after. */
const DEAD_STATES: ReadonlySet<string> = new Set(['Z', 'X', 'x']);
