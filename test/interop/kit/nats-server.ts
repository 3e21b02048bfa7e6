/** A real NATS server on loopback. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { NatsProgram } from './nats-program.js';

export interface NatsServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** Of the program. */
  readonly version: string;
  /** Ends it without a word (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again, at the same port. */
  restart(): Promise<void>;
  /** Ends it, and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a server on a free port. `configuration` is its file's text; without it anybody may do anything. */
export async function openNatsServer(program: NatsProgram, configuration = ''): Promise<NatsServer> {
  if ('missing' in program) throw new Error(program.missing);
  const folder = await mkdtemp(join(tmpdir(), 'mx2s-nats-'));
  const file = join(folder, 'nats.conf');
  await writeFile(file, configuration);
  let server = await start(program.path, file, ANY_PORT);
  const { address, version } = server;
  return {
    address,
    version,
    kill: () => server.kill(),
    async restart() {
      server = await start(program.path, file, address.replace(/^.*:/, ''));
    },
    async stop() {
      await server.kill();
      await rm(folder, { recursive: true });
    },
  };
}

/** Starts the program and waits until it takes connections. Its log goes to stderr. */
async function start(path: string, file: string, port: string) {
  const args = ['--config', file, '--addr', '127.0.0.1', '--port', port];
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  const said: string[] = [];
  let address: string | undefined;
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    address ??= / client connections on (\S+)$/.exec(line)?.[1];
    if (/ Server is ready$/.test(line)) break;
  }
  child.stderr.resume();
  if (address === undefined) throw new Error(`nats-server did not start; it said:\n${said.join('\n')}`);
  return {
    address,
    version:
      said.map((line) => / Version: +(\S+)/.exec(line)?.[1]).find((found) => found !== undefined) ?? '',
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const ANY_PORT = '-1';
