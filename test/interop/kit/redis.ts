/** A real Redis of its own, on a unix socket, which remembers nothing: as Synapse uses it, to pass on what is new. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { end } from './homeserver-process.js';

/** Plain values, so that they can cross to the test workers. */
export interface RedisProgram {
  readonly path: string;
  readonly version: string;
}

export interface Redis {
  /** Its socket. */
  readonly path: string;
  /** Ends the process. */
  halt(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again, and resolves when it takes connections. */
  resume(): Promise<void>;
  /** Ends it, and removes the folder. */
  stop(): Promise<void>;
}

/** Finds the program on the PATH. */
export async function findRedis(): Promise<RedisProgram | { readonly missing: string }> {
  const path = 'redis-server';
  return await promisify(execFile)(path, ['--version']).then(
    ({ stdout }) => ({ path, version: /v=(\S+)/.exec(stdout)?.[1] ?? stdout.trim() }),
    () => ({ missing: 'no Redis: no redis-server on the PATH' }),
  );
}

export async function startRedis(program: RedisProgram): Promise<Redis> {
  const folder = await mkdtemp(join(tmpdir(), 'mx2s-redis-'));
  const socket = join(folder, 'redis.sock');
  let child: ChildProcess | undefined;
  const killAtExit = () => child?.kill('SIGKILL');
  process.once('exit', killAtExit);
  const redis: Redis = {
    path: socket,
    halt: (signal) => end(child, signal),
    resume: async () => {
      child = await start(program, folder, socket);
    },
    stop: async () => {
      await end(child);
      process.off('exit', killAtExit);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await redis.resume();
  return redis;
}

/** Starts the program and waits until it takes connections. Its log goes to stdout. */
async function start({ path }: RedisProgram, folder: string, socket: string): Promise<ChildProcess> {
  const nowhere = ['--port', '0', '--save', '', '--appendonly', 'no'];
  const child = spawn(path, ['--unixsocket', socket, '--dir', folder, ...nowhere], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (READY.test(line)) break;
  }
  child.stdout.resume();
  if (!READY.test(said.at(-1) ?? '')) throw new Error(`Redis did not start; it said:\n${said.join('\n')}`);
  return child;
}

const READY = /ready to accept connections/i;
