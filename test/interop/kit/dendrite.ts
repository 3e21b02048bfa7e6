/** A real Dendrite on loopback, with throw-away databases: federation over TLS, and accounts by the shared secret. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AUTHORITY, GOOD, KEY } from '../../http/certificates.js';
import type { DendriteProgram } from './dendrite-program.js';
import {
  loginUser,
  makeHomeserverFolder,
  registerUser,
  startHomeserver,
  type HomeserverAddress,
  type HomeserverProcess,
} from './homeserver.js';
import { call } from './matrix.js';
import { freePorts } from './ports.js';

export interface Dendrite extends HomeserverProcess {
  readonly address: HomeserverAddress;
  /** Holds its databases; `userapi.db` are the accounts and devices. */
  readonly folder: string;
  /** Changes the configuration for the next start. */
  configure(config: DendriteConfig): Promise<void>;
}

/** Merged over the configuration, section by section: `{ client_api: { registration_disabled: false } }`. */
export type DendriteConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface DendriteOptions {
  /** Default: where its federation API is. */
  readonly serverName?: string | undefined;
  readonly config?: DendriteConfig | undefined;
  /** Anybody may register; Dendrite wants to be told twice. */
  readonly openRegistration?: boolean | undefined;
}

/**
 * Starts a Dendrite on free ports, and waits until it answers.
 *
 * Other servers have to show a certificate of the test authority; `UNVERIFIED_DENDRITE` is for those that cannot.
 *
 * @throws Error with the end of its log when it does not start, with the reason when there is none
 */
export async function startDendrite(
  program: DendriteProgram,
  options: DendriteOptions = {},
): Promise<Dendrite> {
  if ('missing' in program) throw new Error(program.missing);
  const { openRegistration = false } = options;
  const [clientPort, federationPort] = await freePorts();
  const address: HomeserverAddress = {
    baseUrl: `http://127.0.0.1:${String(clientPort)}`,
    serverName: options.serverName ?? `localhost:${String(federationPort)}`,
    federationPort,
    registrationSecret: randomBytes(24).toString('hex'),
  };
  const folder = await makeHomeserverFolder('dendrite', () => configurationFiles(address, options.config));
  const homeserver = await startHomeserver({
    name: 'Dendrite',
    command: [
      ...[program.path, '--config', CONFIGURATION],
      ...['--http-bind-address', `127.0.0.1:${String(clientPort)}`],
      ...['--https-bind-address', `127.0.0.1:${String(federationPort)}`],
      ...['--tls-cert', 'tls.crt', '--tls-key', 'tls.key'],
      ...(openRegistration ? ['--really-enable-open-registration'] : []),
    ] as [string, ...string[]],
    env: { SSL_CERT_FILE: join(folder, 'authority.crt') }, // whom Go programs believe
    folder,
    baseUrl: address.baseUrl,
  });
  return {
    ...homeserver,
    address,
    folder,
    configure: async (changes) => {
      const file = join(folder, CONFIGURATION); // which is JSON
      const before = JSON.parse(await readFile(file, 'utf8')) as DendriteConfig;
      await writeFile(file, JSON.stringify(merged(before, changes)));
    },
  };
}

/**
 * Does what its operator does for `mx2s gateway`, and gives the password of `@:server`: Dendrite makes an account for
 * whoever its server notices are to come from, also where that is the empty localpart, and an administrator gives it a
 * password.
 */
export async function giveServerUser(dendrite: Dendrite): Promise<string> {
  const { address } = dendrite;
  await dendrite.configure({ global: { server_notices: { enabled: true, local_part: '' } } });
  await dendrite.halt();
  await dendrite.resume();
  const [adminPassword, password] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
  await registerUser(address, 'admin', adminPassword, 'admin');
  const admin = await loginUser(address, 'admin', adminPassword);
  await call('POST', `${address.baseUrl}/_dendrite/admin/resetPassword/@:${address.serverName}`, {
    token: admin.accessToken,
    body: { password },
  });
  return password;
}

/** For federation with servers that make their certificates themselves. */
export const UNVERIFIED_DENDRITE: DendriteConfig = { federation_api: { disable_tls_validation: true } };

/** Every file of its folder: name → text. Dendrite reads YAML, of which JSON is a part. */
function configurationFiles(
  { serverName, registrationSecret }: HomeserverAddress,
  config: DendriteConfig = {},
): Record<string, string> {
  const configuration: DendriteConfig = {
    global: {
      server_name: serverName,
      private_key: 'signing.pem',
      // nobody is asked for keys but whose they are, and nothing is reported
      trusted_third_party_id_servers: [],
      report_stats: { enabled: false },
      jetstream: { storage_path: './jetstream' },
    },
    app_service_api: { config_files: [] },
    client_api: {
      registration_disabled: true,
      guests_disabled: true,
      registration_shared_secret: registrationSecret,
      rate_limiting: { enabled: false },
    },
    federation_api: {
      // loopback federation: no notary, and no address that may not be connected to
      key_perspectives: [],
      deny_networks: [],
      allow_networks: ['127.0.0.0/8', '::1/128'],
      ...database('federationapi'),
    },
    key_server: database('keyserver'),
    media_api: { base_path: './media', ...database('mediaapi') },
    mscs: { mscs: [], ...database('mscs') },
    relay_api: database('relayapi'),
    room_server: database('roomserver'),
    sync_api: { search: { enabled: false }, ...database('syncapi') },
    user_api: { bcrypt_cost: 4, account_database: database('userapi').database },
  };
  const logging = [{ type: 'std', level: 'warn' }];
  const seed = randomBytes(32).toString('base64');
  return {
    [CONFIGURATION]: JSON.stringify({ version: 2, ...merged(configuration, config), logging }),
    'signing.pem': [
      '-----BEGIN MATRIX PRIVATE KEY-----',
      'Key-ID: ed25519:mx2s',
      '',
      seed,
      '-----END MATRIX PRIVATE KEY-----',
      '',
    ].join('\n'),
    'tls.crt': GOOD,
    'tls.key': KEY,
    'authority.crt': AUTHORITY,
  };
}

/** A component's SQLite file: they cannot share one. */
function database(component: string) {
  return { database: { connection_string: `file:${component}.db` } };
}

function merged(config: DendriteConfig, changes: DendriteConfig): DendriteConfig {
  const sections = Object.entries(changes).map(([name, section]) => [name, { ...config[name], ...section }]);
  return { ...config, ...(Object.fromEntries(sections) as DendriteConfig) };
}

const CONFIGURATION = 'dendrite.yaml';
