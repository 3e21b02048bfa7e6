/** An embedded homeserver in a process of its own, for what is to be shown or measured from outside. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { NetworkError } from '../errors.js';
import { parseJson, member, stringMember } from '../wire/json.js';

export interface ServeProcess {
  readonly homeserver: string;
  readonly serverName: string;
  readonly users: readonly ServedUser[];
  /** Ends it, and resolves when it has ended. */
  stop(): Promise<void>;
}

/** An account that was made with the server. */
export interface ServedUser {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
  readonly password: string;
}

export interface ServeProcessOptions {
  /** The program: executable and first arguments. */
  readonly program: readonly string[];
  /** Flags of `mx2s serve`. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * Starts `mx2s serve`, and resolves when it is ready.
 * @throws NetworkError when it does not start; the signal's reason. Nothing is left running.
 */
export async function startServeProcess(options: ServeProcessOptions): Promise<ServeProcess> {
  const { program, flags, env, signal } = options;
  const [executable = '', ...first] = program;
  const child = spawn(executable, [...first, 'serve', ...flags], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.on('error', () => undefined); // it has no output then, and of that is told
  const stop = (): Promise<void> => stopped(child);
  try {
    return { ...parseReadyLine(await readReadyLine(child, signal)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An environment in which the user's own homeserver, tokens and profiles have no part. */
export function withoutOurs(env: ServeProcessOptions['env']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('MX2S_')));
}

async function readReadyLine({ stdout }: ChildProcess, signal: AbortSignal): Promise<string> {
  let firstLine: string | undefined;
  if (stdout !== null) {
    const lines = createInterface({ input: stdout });
    const abort = (): void => lines.close();
    signal.addEventListener('abort', abort, { once: true });
    for await (const line of lines) {
      firstLine = line;
      break;
    }
    signal.removeEventListener('abort', abort);
    stdout.resume(); // a pipe that nobody reads would hold it up
  }
  signal.throwIfAborted();
  if (firstLine !== undefined) return firstLine;
  throw new NetworkError({ method: 'GET', url: 'serve' }, 'the embedded homeserver did not start', {
    hint: 'run mx2s serve to see why',
    retryable: false,
  });
}

function parseReadyLine(line: string): Omit<ServeProcess, 'stop'> {
  const ready = parseJson(line);
  const users = member(ready, 'users');
  return {
    homeserver: stringMember(ready, 'homeserver') ?? '',
    serverName: stringMember(ready, 'server_name') ?? '',
    users: (users?.kind === 'array' ? users.items : []).map((user) => ({
      userId: stringMember(user, 'user_id') ?? '',
      deviceId: stringMember(user, 'device_id') ?? '',
      accessToken: stringMember(user, 'access_token') ?? '',
      password: stringMember(user, 'password') ?? '',
    })),
  };
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
