/** A process of a homeserver: the whole of it, or one of many. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface ProcessProgram {
  readonly command: readonly [file: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Where it runs. */
  readonly folder: string;
}

/** Starts it. What it says is added to the file `log` in its folder. */
export function start({ command: [file, ...args], env, folder }: ProcessProgram, log: string): ChildProcess {
  const output = openSync(join(folder, log), 'a');
  const child = spawn(file, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  return child;
}

/** Asks until `answers` resolves with true; rejects when the process ends first, or takes too long. */
export async function untilItAnswers(child: ChildProcess, answers: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!hasEnded(child) && Date.now() < deadline) {
    if (await answers().catch(() => false)) return;
    await wait(POLL_MS);
  }
  throw new Error(hasEnded(child) ? 'it ended' : `no answer in ${String(START_TIMEOUT_MS)} ms`);
}

/** Ends it, and waits for that. */
export async function end(
  child: ChildProcess | undefined,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  if (child === undefined || hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const patience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(patience);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 100;
