/** A real NATS server on loopback, and services that answer on it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect, credsAuthenticator, type Msg } from '@nats-io/transport-node';
import { onTestFinished } from 'vitest';
import type { NatsProgram } from './nats-program.js';

export interface NatsServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** Ends it without a word (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again, at the same port. */
  restart(): Promise<void>;
}

/** Starts a server on a free port. `configuration` is its file's text; without it anybody may do anything. */
export async function startNatsServer(program: NatsProgram, configuration = ''): Promise<NatsServer> {
  if ('missing' in program) throw new Error(program.missing);
  const folder = await mkdtemp(join(tmpdir(), 'mx2s-nats-'));
  const file = join(folder, 'nats.conf');
  await writeFile(file, configuration);
  let server = await start(program.path, file, ANY_PORT);
  const { address } = server;
  onTestFinished(async () => {
    await server.kill();
    await rm(folder, { recursive: true });
  });
  return {
    address,
    kill: () => server.kill(),
    async restart() {
      server = await start(program.path, file, address.replace(/^.*:/, ''));
    },
  };
}

/** Answers requests to `subject` until the test is over, or the server is gone. */
export async function startService(
  { address }: NatsServer,
  subject: string,
  answer: (message: Msg) => void,
  credentials?: string,
): Promise<void> {
  const connection = await connect({
    servers: address,
    reconnect: false,
    ...(credentials === undefined
      ? {}
      : { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
  });
  onTestFinished(() => connection.close());
  connection.subscribe(subject, { callback: (_error, message) => answer(message) });
  await connection.flush();
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
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const ANY_PORT = '-1';
