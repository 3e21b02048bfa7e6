/** A real Synapse on loopback with a throw-away database, and an application service that makes `@:server` exist. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  makeHomeserverFolder,
  startHomeserver,
  type HomeserverAddress,
  type HomeserverProcess,
} from './homeserver.js';
import { call, discardAll, login, type Session } from './matrix.js';
import { freePorts } from './ports.js';
import { configurationFiles } from './synapse-configuration.js';

export { loginUser, newSession, registerUser } from './homeserver.js';

/** What a test needs to know of a running Synapse. */
export interface SynapseAddress extends HomeserverAddress {
  readonly asToken: string;
}

export interface Synapse extends HomeserverProcess {
  readonly address: SynapseAddress;
  /** Changes the configuration, by top-level key, for the next start. */
  configure(config: Readonly<Record<string, unknown>>): Promise<void>;
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
  const folder = await makeHomeserverFolder('synapse', (path) =>
    configurationFiles(path, clientPort, address, config),
  );
  const homeserver = await startHomeserver({
    name: 'Synapse',
    command: [python, '-m', 'synapse.app.homeserver', '-c', 'homeserver.yaml'],
    // it calls itself by the branch and the commit of the repository around it, which is ours
    env: { GIT_DIR: folder },
    folder,
    baseUrl: address.baseUrl,
    prepare: serverUser ? () => registerServerUser(address) : undefined,
  });
  return {
    ...homeserver,
    address,
    configure: async (changes) => {
      const file = join(folder, 'homeserver.yaml'); // which is JSON
      const before = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
      await writeFile(file, JSON.stringify({ ...before, ...changes }));
    },
  };
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
