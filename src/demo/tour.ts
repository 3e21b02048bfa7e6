/**
 * Runs the guided tour: an embedded homeserver in a process of its own, and the real program for each step, in
 * a configuration directory that is thrown away. It fakes nothing: what a step shows is what it printed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { NetworkError } from '../errors.js';
import { localpartOf, parseUserId } from '../ids/user-id.js';
import { parseJson, member, stringMember } from '../wire/json.js';
import { demoSteps, type DemoStep, type DemoUser } from './steps.js';

export interface TourOptions {
  /** The program: executable and first arguments. */
  readonly program: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Told what is about to run. */
  readonly onStep: (step: DemoStep) => Promise<void>;
  /** Told what it printed, stdout and stderr as they came. */
  readonly onOutput: (text: string) => Promise<void>;
}

/** How the tour ended: `failed` is the step that did not end as it should. */
export interface TourResult {
  readonly failed: { readonly step: DemoStep; readonly exitCode: number | null } | undefined;
}

/** @throws NetworkError when the embedded homeserver does not start; the signal's reason */
export async function runTour(options: TourOptions): Promise<TourResult> {
  const directory = await mkdtemp(join(tmpdir(), 'mx2s-demo-'));
  const env = childEnvironment(options.env, directory);
  const server = start(options, SERVE, env);
  try {
    const ready = await readReadyLine(server, options.signal);
    const serve = { say: 'An embedded homeserver, in the background:', argv: SERVE, exitCode: 0 };
    await options.onStep(serve);
    await options.onOutput(`${ready.homeserver} is the homeserver of ${ready.serverName}\n`);
    const users = await Promise.all(ready.users.map((user) => storePassword(user, directory)));
    for (const step of demoSteps({ ...ready, users })) {
      await options.onStep(step);
      const exitCode = await runStep(options, step, env);
      options.signal.throwIfAborted();
      if (exitCode !== step.exitCode) return { failed: { step, exitCode } };
    }
    return { failed: undefined };
  } finally {
    await stop(server);
    await rm(directory, { recursive: true, force: true });
  }
}

async function runStep(options: TourOptions, step: DemoStep, env: NodeJS.ProcessEnv): Promise<number | null> {
  const child = start(options, step.argv, env);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const stopChild = (): void => void child.kill('SIGTERM');
  options.signal.addEventListener('abort', stopChild, { once: true });
  try {
    const show = async (stream: NodeJS.ReadableStream | null): Promise<void> => {
      for await (const chunk of stream ?? []) await options.onOutput(String(chunk));
    };
    await Promise.all([show(child.stdout), show(child.stderr)]);
    const [exitCode] = await closed;
    return exitCode;
  } finally {
    options.signal.removeEventListener('abort', stopChild);
  }
}

interface ReadyServer {
  readonly homeserver: string;
  readonly serverName: string;
  readonly users: readonly ReadyUser[];
}

interface ReadyUser {
  readonly userId: string;
  readonly password: string;
}

async function storePassword({ userId, password }: ReadyUser, directory: string): Promise<DemoUser> {
  const passwordFile = join(directory, `${localpartOf(parseUserId(userId))}.password`);
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  return { userId, passwordFile };
}

async function readReadyLine(server: ChildProcess, signal: AbortSignal): Promise<ReadyServer> {
  let firstLine: string | undefined;
  if (server.stdout !== null) {
    const lines = createInterface({ input: server.stdout });
    const abort = (): void => lines.close();
    signal.addEventListener('abort', abort, { once: true });
    for await (const line of lines) {
      firstLine = line;
      break;
    }
    signal.removeEventListener('abort', abort);
  }
  signal.throwIfAborted();
  if (firstLine === undefined) {
    throw new NetworkError({ method: 'GET', url: 'serve' }, 'the embedded homeserver did not start', {
      hint: 'run mx2s serve to see why',
      retryable: false,
    });
  }
  return parseReadyLine(firstLine);
}

function parseReadyLine(line: string): ReadyServer {
  const ready = parseJson(line);
  const users = member(ready, 'users');
  return {
    homeserver: stringMember(ready, 'homeserver') ?? '',
    serverName: stringMember(ready, 'server_name') ?? '',
    users: (users?.kind === 'array' ? users.items : []).map((user) => ({
      userId: stringMember(user, 'user_id') ?? '',
      password: stringMember(user, 'password') ?? '',
    })),
  };
}

function start(options: TourOptions, argv: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const [executable = '', ...first] = options.program;
  return spawn(executable, [...first, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'exit');
  child.kill('SIGTERM');
  await closed;
}

/** The user's own homeserver, tokens and profiles have no part in the tour. */
function childEnvironment(env: TourOptions['env'], directory: string): NodeJS.ProcessEnv {
  const own = Object.entries(env).filter(([name]) => !name.startsWith('MX2S_'));
  return { ...Object.fromEntries(own), MX2S_CONFIG_DIR: directory };
}

const SERVE = ['serve', '--on', 'org.example.*=echo'];
