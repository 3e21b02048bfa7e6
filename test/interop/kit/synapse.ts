/** A real Synapse on loopback with a throw-away database, and an application service that makes `@:server` exist. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { call, discardAll, login, type Session } from './matrix.js';
import { freePorts } from './ports.js';
import { configurationFiles } from './synapse-configuration.js';

/** What a test needs to know of a running Synapse; plain values, so that they can cross to the test workers. */
export interface SynapseAddress {
  /** The client API, without TLS. */
  readonly baseUrl: string;
  /** `localhost:PORT`: other servers reach it there over TLS, unless it was given another name. */
  readonly serverName: string;
  /** Where the federation API is. */
  readonly federationPort: number;
  readonly registrationSecret: string;
  readonly asToken: string;
}

export interface Synapse {
  readonly address: SynapseAddress;
  /** Changes the configuration, by top-level key, for the next start. */
  configure(config: Readonly<Record<string, unknown>>): Promise<void>;
  /** Ends the process; what it has stored stays. */
  halt(): Promise<void>;
  /** Starts it again, and resolves when it answers. */
  resume(): Promise<void>;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

export interface SynapseOptions {
  /** Default: where its federation API is. */
  readonly serverName?: string | undefined;
  /** Merged over the configuration by top-level key, e.g. `{ refreshable_access_token_lifetime: '2s' }`. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** False for a Synapse as it comes, without the application service; default true. */
  readonly serverUser?: boolean | undefined;
}

/**
 * Starts a Synapse on free ports, waits until it answers and registers its server user, if it is to have one.
 *
 * If it does not start, the error holds the end of its log.
 */
export async function startSynapse(python: string, options: SynapseOptions = {}): Promise<Synapse> {
  const folder = await mkdtemp(join(tmpdir(), 'mx2s-synapse-'));
  const [clientPort, federationPort] = await freePorts();
  const address: SynapseAddress = {
    baseUrl: `http://127.0.0.1:${String(clientPort)}`,
    serverName: options.serverName ?? `localhost:${String(federationPort)}`,
    federationPort,
    registrationSecret: randomBytes(24).toString('hex'),
    asToken: randomBytes(24).toString('hex'),
  };
  const { serverUser = true } = options;
  const config = { ...(serverUser ? {} : { app_service_config_files: [] }), ...options.config };
  const files = configurationFiles(folder, clientPort, address, config);
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));

  let child: ChildProcess | undefined;
  const killAtExit = () => child?.kill('SIGKILL');
  process.once('exit', killAtExit);

  const synapse: Synapse = {
    address,
    configure: async (changes) => {
      const file = join(folder, 'homeserver.yaml'); // which is JSON
      const before = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
      await writeFile(file, JSON.stringify({ ...before, ...changes }));
    },
    halt: () => end(child),
    resume: async () => {
      child = run(python, folder);
      await untilItAnswers(child, address.baseUrl);
    },
    stop: async () => {
      await end(child);
      process.off('exit', killAtExit);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await synapse.resume();
    if (serverUser) await registerServerUser(address);
  } catch (error) {
    const said = await readFile(join(folder, LOG), 'utf8');
    await synapse.stop();
    throw new Error(`Synapse did not start; it said:\n${said.slice(-3000)}`, { cause: error });
  }
  return synapse;
}

/** Registers a user by the shared secret (Synapse's admin API, "Shared-Secret Registration"). */
export async function registerUser(synapse: SynapseAddress, name: string, password: string): Promise<void> {
  const url = `${synapse.baseUrl}/_synapse/admin/v1/register`;
  const { nonce } = await call('GET', url);
  const mac = createHmac('sha1', synapse.registrationSecret)
    .update([nonce, name, password, 'notadmin'].join('\0'))
    .digest('hex');
  await call('POST', url, { body: { nonce, username: name, password, admin: false, mac } });
}

/** Logs a user in by password. */
export function loginUser(synapse: SynapseAddress, name: string, password: string): Promise<Session> {
  return login(synapse.baseUrl, {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: name },
    password,
  });
}

/** A new user, so that no test finds the messages of another, logged in. */
export async function newSession(synapse: SynapseAddress): Promise<Session> {
  const name = `user-${randomBytes(6).toString('hex')}`;
  await registerUser(synapse, name, name);
  return loginUser(synapse, name, name);
}

/** Logs the server user in as device `""`, with an empty inbox; it then sends and syncs like an ordinary account. */
export async function loginServerUser(synapse: SynapseAddress): Promise<Session> {
  const identifier = { type: 'm.id.user', user: `@:${synapse.serverName}` };
  const body = { type: 'm.login.application_service', identifier, device_id: '' };
  const session = await login(synapse.baseUrl, body, synapse.asToken);
  await discardAll(session);
  return session;
}

/** Synapse refuses the empty localpart to all but an application service in whose namespace it lies. */
async function registerServerUser(synapse: SynapseAddress): Promise<void> {
  await call('POST', `${synapse.baseUrl}/_matrix/client/v3/register`, {
    token: synapse.asToken,
    body: { type: 'm.login.application_service', username: '', inhibit_login: true },
  });
}

// --- the process ------------------------------------------------------------------------------------------

function run(python: string, folder: string): ChildProcess {
  const log = openSync(join(folder, LOG), 'a');
  const child = spawn(python, ['-m', 'synapse.app.homeserver', '-c', 'homeserver.yaml'], {
    cwd: folder,
    // it calls itself by the branch and the commit of the repository around it, which is ours
    env: { ...process.env, GIT_DIR: folder },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}

async function untilItAnswers(child: ChildProcess, baseUrl: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!hasEnded(child) && Date.now() < deadline) {
    const answers = await fetch(`${baseUrl}/_matrix/client/versions`).then(
      (response) => response.ok,
      () => false,
    );
    if (answers) return;
    await wait(POLL_MS);
  }
  throw new Error(hasEnded(child) ? 'it ended' : `no answer in ${String(START_TIMEOUT_MS)} ms`);
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(patience);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

const LOG = 'stdout.log';
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 100;
