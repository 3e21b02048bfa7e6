/** `serve … -- CMD…`: the command beside the server, whose end is ours. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { InterruptedError, UsageError } from '../errors.js';
import type { ExitCode, PassedOnExitCode } from '../exit-codes.js';
import type { Context } from './context.js';

/**
 * Runs a command on our streams with `variables` in its environment, and gives its exit status as a shell would: 128
 * and the signal's number when a signal ended it, 127 when there is no such command, 126 when it cannot be run.
 * Signals that come to us are passed on.
 */
export async function runWrapped(
  command: readonly string[],
  variables: Readonly<Record<string, string>>,
  { env, signal, talk, stdin }: Context,
): Promise<ExitCode> {
  const [program = '', ...args] = command;
  const inherited = Object.entries(env).filter(([name]) => !REPLACED.has(name));
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: { ...Object.fromEntries(inherited), ...variables },
  });
  const passOn = (): void => {
    const { reason } = signal as { reason: unknown };
    // Ctrl-C at a terminal reaches the command without us, and twice would be once too often
    if (reason instanceof InterruptedError && !(reason.signal === 'SIGINT' && stdin.isTerminal)) {
      child.kill(reason.signal);
    }
  };
  signal.addEventListener('abort', passOn, { once: true });
  if (signal.aborted) passOn();
  try {
    return await new Promise<ExitCode>((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        talk.error(cannotRun(program, error));
        resolve((error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE) as PassedOnExitCode);
      });
      child.once('exit', (status, endedBy) => {
        const code = status ?? 128 + (endedBy === null ? 0 : constants.signals[endedBy]);
        resolve(code as PassedOnExitCode);
      });
    });
  } finally {
    signal.removeEventListener('abort', passOn);
  }
}

function cannotRun(program: string, error: NodeJS.ErrnoException): UsageError {
  const why = error.code === 'ENOENT' ? 'there is no such command' : error.message;
  return new UsageError(`cannot run ${program}: ${why}`, {
    hint: 'what follows -- is run as it stands',
    cause: error,
  });
}

/** Would speak of another server or user than the variables do. */
const REPLACED: ReadonlySet<string> = new Set([
  'MX2S_ACCESS_TOKEN_FILE',
  'MX2S_OTHER_ACCESS_TOKEN',
  'MX2S_OTHER_USER_ID',
  'MX2S_OTHER_DEVICE_ID',
]);
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
