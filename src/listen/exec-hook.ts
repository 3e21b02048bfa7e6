/** `--exec CMD`: each event is handed to a command of the user's. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { HookFailedError } from '../errors.js';
import { inheritable, killGroup } from '../subsystems/shell.js';
import { encodeReceivedEvent, type ReceivedEvent } from '../todevice/received.js';
import type { Hook } from './hook.js';
import { forwardOutput } from './hook-output.js';

export interface ExecHookOptions {
  /** For `sh -c`. */
  readonly command: string;
  /** The environment that the command inherits; secrets of ours are taken out of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Makes text that a stranger chose fit for an environment variable. */
  escape(text: string): string;
  /** Gets what the command writes, to stdout or stderr, line by line. */
  onOutput(line: string): void;
}

/**
 * Runs the command with the event as a JSON line on its stdin, and `MX2S_SENDER` and `MX2S_TYPE` in its
 * environment. It has taken the event when it ends with status 0; what it leaves running in the background is its
 * own affair. When the signal aborts, it and all that it started is told to end, and killed where it does not.
 */
export function execHook(options: ExecHookOptions): Hook {
  const inherited = inheritable(options.env);
  return async (event, signal) => {
    signal.throwIfAborted();
    const env = { ...inherited, ...eventVariables(event, options.escape) };
    const child = spawn('/bin/sh', ['-c', options.command], { env, stdio: 'pipe', detached: true });
    forwardOutput([child.stdout, child.stderr], options.onOutput);
    child.stdin.on('error', () => undefined); // it need not read its input
    child.stdin.end(`${encodeReceivedEvent(event)}\n`);
    await ended(child, signal);
  };
}

/** Resolves when the command ended well, and what it wrote was read. */
async function ended(child: ChildProcessWithoutNullStreams, signal: AbortSignal): Promise<void> {
  const closed = once(child, 'close');
  closed.catch(() => undefined); // a command that cannot be started is told of below
  const onAbort = (): void => void endGroup(child, closed);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const [status, endedBy] = (await once(child, 'exit')) as [number | null, string | null];
    if (!signal.aborted) await within(OUTPUT_GRACE_MS, closed);
    else await closed;
    signal.throwIfAborted();
    if (status !== 0)
      throw failure(status === null ? `was ended by ${endedBy}` : `ended with status ${status}`);
  } finally {
    signal.removeEventListener('abort', onAbort);
    letGo(child); // what it left running may hold its output open
  }
}

async function endGroup(child: ChildProcessWithoutNullStreams, closed: Promise<unknown>): Promise<void> {
  if (child.pid === undefined) return;
  killGroup(child.pid, 'TERM');
  await within(TERMINATION_MS, closed);
  killGroup(child.pid, 'KILL');
  letGo(child); // a process that left the group may hold its output open
}

function letGo({ stdin, stdout, stderr }: ChildProcessWithoutNullStreams): void {
  for (const stream of [stdin, stdout, stderr]) stream.destroy();
}

/** Waits for the end of something, but not for long. */
async function within(ms: number, end: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([end, timeUp]).finally(() => clearTimeout(timer));
}

function failure(how: string): HookFailedError {
  return new HookFailedError(`--exec: the command ${how}`, {
    hint: 'mend it and listen again, the event comes again; or pass such events over with --on-hook-failure skip',
  });
}

function eventVariables(
  { sender, type }: ReceivedEvent,
  escape: (text: string) => string,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of [
    ['MX2S_SENDER', sender],
    ['MX2S_TYPE', type],
  ] as const) {
    const escaped = value === undefined ? undefined : escape(value);
    if (escaped !== undefined && Buffer.byteLength(escaped) <= MAX_VARIABLE_BYTES) variables[name] = escaped;
  }
  return variables;
}

const MAX_VARIABLE_BYTES = 1024;
const TERMINATION_MS = 500;
/** After the command ended, for what it wrote last. */
const OUTPUT_GRACE_MS = 250;
