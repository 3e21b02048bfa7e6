/**
 * Runs the guided tour: an embedded homeserver in a process of its own, and the real program for each step, in
 * a configuration directory that is thrown away. It fakes nothing: what a step shows is what it printed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localpartOf, parseUserId } from '../ids/user-id.js';
import { startServeProcess, withoutOurs, type ServedUser, type ServeProcess } from './serve-process.js';
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
  try {
    const env = { ...withoutOurs(options.env), MX2S_CONFIG_DIR: directory };
    const server = await startServeProcess({ ...options, env, flags: SERVE_FLAGS });
    try {
      return await showSteps(options, server, env, directory);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function showSteps(
  options: TourOptions,
  server: ServeProcess,
  env: NodeJS.ProcessEnv,
  directory: string,
): Promise<TourResult> {
  const serve = {
    say: 'An embedded homeserver, in the background:',
    argv: ['serve', ...SERVE_FLAGS],
    exitCode: 0,
  };
  await options.onStep(serve);
  await options.onOutput(`${server.homeserver} is the homeserver of ${server.serverName}\n`);
  const users = await Promise.all(server.users.map((user) => storePassword(user, directory)));
  for (const step of demoSteps({ ...server, users })) {
    await options.onStep(step);
    const exitCode = await runStep(options, step, env);
    options.signal.throwIfAborted();
    if (exitCode !== step.exitCode) return { failed: { step, exitCode } };
  }
  return { failed: undefined };
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

async function storePassword({ userId, password }: ServedUser, directory: string): Promise<DemoUser> {
  const passwordFile = join(directory, `${localpartOf(parseUserId(userId))}.password`);
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  return { userId, passwordFile };
}

function start(options: TourOptions, argv: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const [executable = '', ...first] = options.program;
  return spawn(executable, [...first, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

const SERVE_FLAGS = ['--on', 'org.example.*=echo'];
