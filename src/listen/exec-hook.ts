/** `--exec CMD`: each event is handed to a command of the user's. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { HookFailedError } from '../errors.js';
import { inheritable } from '../subsystems/shell.js';
import { encodeReceivedEvent, type ReceivedEvent } from '../todevice/received.js';
import type { Hook } from './hook.js';

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
 * environment. It has taken the event when it ends with status 0. When the signal aborts it is told to end, and
 * killed where it does not.
 */
export function execHook(options: ExecHookOptions): Hook {
  const inherited = inheritable(options.env);
  return async (event, signal) => {
    signal.throwIfAborted();
    const env = { ...inherited, ...eventVariables(event, options.escape) };
    const child = spawn('/bin/sh', ['-c', options.command], { env, stdio: 'pipe' });
    forwardLines(child.stdout, options.onOutput);
    forwardLines(child.stderr, options.onOutput);
    child.stdin.on('error', () => undefined); // it need not read its input
    child.stdin.end(`${encodeReceivedEvent(event)}\n`);
    await ended(child, signal);
  };
}

/** Resolves when the command ended well and its output was read to the end. */
async function ended(child: ChildProcessWithoutNullStreams, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    child.kill('SIGTERM');
    timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout.destroy(); // what it started may live on, and hold its output open
      child.stderr.destroy();
    }, TERMINATION_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const [status, endedBy] = (await once(child, 'close')) as [number | null, string | null];
    signal.throwIfAborted();
    if (status !== 0)
      throw failure(status === null ? `was ended by ${endedBy}` : `ended with status ${status}`);
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  }
}

function failure(how: string): HookFailedError {
  return new HookFailedError(`--exec: the command ${how}`, {
    hint: 'mend it and listen again, the event comes again; or pass such events over with --on-hook-failure skip',
  });
}

function forwardLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
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
