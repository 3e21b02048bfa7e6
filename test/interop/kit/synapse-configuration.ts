/** How Synapse is configured for these tests. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AUTHORITY, GOOD, KEY } from '../../http/certificates.js';
import type { SynapseAddress } from './synapse.js';

/**
 * Every file of its folder: name → text. Synapse reads YAML, of which JSON is a part.
 *
 * Other servers on loopback have to show a certificate of the test authority; `UNVERIFIED` is for those that cannot.
 */
export function configurationFiles(
  folder: string,
  clientPort: number,
  address: SynapseAddress,
  config: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const homeserver = {
    server_name: address.serverName,
    public_baseurl: `${address.baseUrl}/`,
    pid_file: join(folder, 'homeserver.pid'),
    listeners: [
      listener(clientPort, 'client'),
      { ...listener(address.federationPort, 'federation'), tls: true },
    ],
    tls_certificate_path: join(folder, 'tls.crt'),
    tls_private_key_path: join(folder, 'tls.key'),
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
    presence: { enabled: false },
    rc_registration: NO_LIMIT,
    rc_login: { address: NO_LIMIT, account: NO_LIMIT, failed_attempts: NO_LIMIT },
    // loopback federation: no notary, and no address that may not be connected to
    trusted_key_servers: [],
    suppress_key_server_warning: true,
    ip_range_blacklist: [],
    federation_ip_range_blacklist: [],
    federation_custom_ca_list: [join(folder, 'authority.crt')],
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
    'tls.crt': GOOD,
    'tls.key': KEY,
    'authority.crt': AUTHORITY,
  };
}

/** For federation with servers that make their certificates themselves. */
export const UNVERIFIED = { federation_verify_certificates: false };

function listener(port: number, resource: 'client' | 'federation') {
  return {
    port,
    bind_addresses: ['127.0.0.1'],
    type: 'http',
    tls: false,
    resources: [{ names: [resource], compress: false }],
  };
}

const NO_LIMIT = { per_second: 100_000, burst_count: 100_000 };
