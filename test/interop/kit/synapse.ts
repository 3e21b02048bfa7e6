/** A real Synapse on loopback with a throw-away database, and an application service that makes `@:server` exist. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { call, discardAll, login, type Session } from './matrix.js';

/** What a test needs to know of a running Synapse; plain values, so that they can cross to the test workers. */
export interface SynapseAddress {
  readonly baseUrl: string;
  readonly serverName: string;
  readonly registrationSecret: string;
  readonly asToken: string;
}

export interface Synapse extends SynapseAddress {
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts a Synapse on a free port, waits until it answers and registers its server user.
 *
 * `config` is merged over the configuration by top-level key, e.g. `{ refreshable_access_token_lifetime: '2s' }`.
 * If it does not start, the error holds the end of its log.
 */
export async function startSynapse(python: string, config: Record<string, unknown> = {}): Promise<Synapse> {
  const folder = await mkdtemp(join(tmpdir(), 'mx2s-synapse-'));
  const port = await freePort();
  const address: SynapseAddress = {
    baseUrl: `http://127.0.0.1:${String(port)}`,
    serverName: `localhost:${String(port)}`,
    registrationSecret: randomBytes(24).toString('hex'),
    asToken: randomBytes(24).toString('hex'),
  };
  const files = configuration(folder, port, address, config);
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));

  const log = openSync(join(folder, 'stdout.log'), 'w');
  const child = spawn(python, ['-m', 'synapse.app.homeserver', '-c', 'homeserver.yaml'], {
    cwd: folder,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);

  const stop = async () => {
    await end(child);
    process.off('exit', killAtExit);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilItAnswers(child, address.baseUrl);
    await registerServerUser(address);
  } catch (error) {
    const said = await readFile(join(folder, 'stdout.log'), 'utf8');
    await stop();
    throw new Error(`Synapse did not start; it said:\n${said.slice(-3000)}`, { cause: error });
  }
  return { ...address, stop };
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

// --- configuration ----------------------------------------------------------------------------------------

/** Every file of the folder: name → text. Synapse reads YAML, of which JSON is a part. */
function configuration(
  folder: string,
  port: number,
  address: SynapseAddress,
  config: Record<string, unknown>,
): Record<string, string> {
  const homeserver = {
    server_name: address.serverName,
    public_baseurl: `${address.baseUrl}/`,
    pid_file: join(folder, 'homeserver.pid'),
    listeners: [
      {
        port,
        bind_addresses: ['127.0.0.1'],
        type: 'http',
        tls: false,
        resources: [{ names: ['client'], compress: false }],
      },
    ],
    database: { name: 'sqlite3', args: { database: join(folder, 'homeserver.db') } },
    log_config: join(folder, 'log.yaml'),
    media_store_path: join(folder, 'media'),
    signing_key_path: join(folder, 'signing.key'),
    app_service_config_files: [join(folder, 'server-user.yaml')],
    registration_shared_secret: address.registrationSecret,
    macaroon_secret_key: randomBytes(24).toString('hex'),
    form_secret: randomBytes(24).toString('hex'),
    report_stats: false,
    bcrypt_rounds: 4,
    trusted_key_servers: [],
    suppress_key_server_warning: true,
    presence: { enabled: false },
    rc_registration: NO_LIMIT,
    rc_login: { address: NO_LIMIT, account: NO_LIMIT, failed_attempts: NO_LIMIT },
    ...config,
  };
  const serverUser = {
    id: 'server-user',
    url: null, // nothing is pushed: the server user syncs
    as_token: address.asToken,
    hs_token: randomBytes(24).toString('hex'),
    sender_localpart: '_server-user',
    rate_limited: false,
    namespaces: { users: [{ exclusive: true, regex: `@:${address.serverName}` }], rooms: [], aliases: [] },
  };
  const log = {
    version: 1,
    handlers: { console: { class: 'logging.StreamHandler' } },
    root: { level: 'WARNING', handlers: ['console'] },
    disable_existing_loggers: false,
  };
  const seed = randomBytes(32).toString('base64').replaceAll('=', '');
  return {
    'homeserver.yaml': JSON.stringify(homeserver),
    'server-user.yaml': JSON.stringify(serverUser),
    'log.yaml': JSON.stringify(log),
    'signing.key': `ed25519 a_mx2s ${seed}\n`,
  };
}

const NO_LIMIT = { per_second: 100_000, burst_count: 100_000 };

// --- the process ------------------------------------------------------------------------------------------

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port on loopback');
  return address.port;
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

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(patience);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 100;
