/** An embedded homeserver, alice's device on it, and ways to fill its queue. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { HomeserverOptions } from '../../src/server/open.js';
import { startServer, type RunningServer } from '../../src/server/listen.js';
import { json, type Respond } from '../http/loopback-server.js';
import { runCli, startCli, type Finished, type Running, type RunSettings } from '../kit/run-cli.js';
import { makeTempDir } from '../kit/temp-dir.js';

/** A printed event line. */
export interface EventLine {
  readonly v: 1;
  readonly sender: string | null;
  readonly type: string | null;
  readonly content: unknown;
  readonly server_user: boolean;
  readonly own_server: boolean;
  readonly received_ts: number;
}

export interface DeviceKit {
  readonly server: RunningServer;
  /** `@:…` of the server. */
  readonly serverUser: string;
  readonly folder: string;
  /** Alice's token, and files of its own. */
  readonly env: Readonly<Record<string, string>>;
  /** Puts events from the server user into alice's queue, each with the content `{"n":…}`. */
  fill(...numbers: readonly number[]): Promise<void>;
  /** The same with content of one's own. */
  echo(content: object, type?: string): Promise<void>;
  /** Puts events from bob into alice's queue. */
  fromBob(...numbers: readonly number[]): Promise<void>;
  /** Runs `mx2s` as alice. */
  run(argv: readonly string[], settings?: RunSettings): Promise<Finished>;
  start(argv: readonly string[], settings?: RunSettings): Running;
  /** The paths of our files below the folder of the device's state. */
  stateFiles(): Promise<string[]>;
}

/** Starts it all; it stops with the test. Every type is echoed unless `options` has handlers. */
export async function openDeviceKit(options: HomeserverOptions = {}): Promise<DeviceKit> {
  const server = await startServer({ handlers: [{ glob: '*', handler: { kind: 'echo' } }], ...options });
  onTestFinished(() => server.stop());
  const temp = await makeTempDir();
  onTestFinished(() => temp.remove());
  const [alice, bob] = server.users;
  if (alice === undefined || bob === undefined) throw new Error('the server has no users');

  const serverUser = `@:${server.serverName}`;
  const env = {
    MX2S_HOMESERVER: server.homeserver,
    MX2S_ACCESS_TOKEN: alice.accessToken,
    MX2S_CONFIG_DIR: join(temp.path, 'mx2s'),
    PATH: process.env['PATH'] ?? '',
  };
  let transaction = 0;
  const put = async (token: string, type: string, messages: object): Promise<void> => {
    const path = `/_matrix/client/v3/sendToDevice/${encodeURIComponent(type)}/${(transaction += 1)}`;
    const response = await fetch(server.homeserver + path, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ messages }),
    });
    if (!response.ok) throw new Error(`sendToDevice was answered ${response.status}`);
  };
  const echo = async (content: object, type = 'org.example.a'): Promise<void> => {
    await put(alice.accessToken, type, { [serverUser]: { '': content } });
    await server.settled();
  };
  return {
    server,
    serverUser,
    folder: temp.path,
    env,
    echo,
    fill: async (...numbers) => {
      for (const n of numbers) await echo({ n });
    },
    fromBob: async (...numbers) => {
      for (const n of numbers) {
        await put(bob.accessToken, 'org.example.b', { [alice.userId]: { [alice.deviceId]: { n } } });
      }
    },
    run: (argv, settings) => runCli(argv, { env, ...settings }),
    start: (argv, settings) => startCli(argv, { env, ...settings }),
    stateFiles: async () => {
      const files = await readdir(join(temp.path, 'mx2s'), { recursive: true }).catch(() => []);
      return files.filter((file) => /\.(json|ndjson)$/.test(file));
    },
  };
}

/** The events that were printed. */
export function linesIn({ stdout }: Pick<Finished, 'stdout'>): EventLine[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EventLine);
}

/** The numbers that `fill` and `fromBob` were given. */
export function numbersIn(finished: Pick<Finished, 'stdout'>): number[] {
  return linesIn(finished).map(({ content }) => (content as { n: number }).n);
}

export const EVENT = { sender: '@:example.org', type: 'org.example.a', content: { n: 1 } };

/** The answer of a sync with these events. */
export function eventsAnswer(...events: readonly unknown[]): object {
  return { next_batch: 's1', to_device: { events } };
}

/** A homeserver of one device without keys; `sync` gives the body of each sync, counted from 0. */
export function asDevice(sync: (count: number) => object): Respond {
  let count = -1;
  return ({ path }, response) => {
    if (path.includes('/whoami')) json(response, 200, { user_id: '@alice:example.org', device_id: 'D' });
    else if (path.includes('/keys/query')) json(response, 404, { errcode: 'M_UNRECOGNIZED' });
    else json(response, 200, sync((count += 1)));
  };
}

/** The environment of a device at a homeserver, and a folder for its files. */
export async function deviceAt(homeserver: string): Promise<{ path: string; env: Record<string, string> }> {
  const temp = await makeTempDir();
  onTestFinished(() => temp.remove());
  const config = join(temp.path, 'mx2s');
  await mkdir(config);
  return {
    path: temp.path,
    env: { MX2S_HOMESERVER: homeserver, MX2S_ACCESS_TOKEN: 'secret-token', MX2S_CONFIG_DIR: config },
  };
}

/** Gives the device of a token encryption keys, as a client that encrypts does. */
export async function publishKeys(homeserver: string, token: string): Promise<void> {
  const call = async (method: string, path: string, body?: object): Promise<Record<string, string>> => {
    const response = await fetch(`${homeserver}/_matrix/client/v3${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Record<string, string>;
  };
  const { user_id = '', device_id = '' } = await call('GET', '/account/whoami');
  const keys = { [`ed25519:${device_id}`]: 'a'.repeat(43), [`curve25519:${device_id}`]: 'b'.repeat(43) };
  const signatures = { [user_id]: { [`ed25519:${device_id}`]: 'c'.repeat(86) } };
  const algorithms = ['m.olm.v1.curve25519-aes-sha2'];
  await call('POST', '/keys/upload', { device_keys: { user_id, device_id, algorithms, keys, signatures } });
}
