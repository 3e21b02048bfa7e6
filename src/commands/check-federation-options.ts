/** `mx2s check --federation`: what its flags ask for. Pure. */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import type { Flags } from './define.js';
import {
  parseCertificateFiles,
  parseListenAddress,
  type CertificateFiles,
  type ListenAddress,
} from './listening-options.js';

/** The second server: where it listens, who it is, and whom it trusts. */
export interface CheckFederation {
  readonly listen: ListenAddress;
  /** Default: where it listens, `HOST:PORT`. */
  readonly serverName: ServerName | undefined;
  /** Default: a key that is made. */
  readonly signingKeyFile: string | undefined;
  readonly certificateFiles: CertificateFiles | undefined;
  /** Certificates to trust in the server under test. */
  readonly caCertFile: string | undefined;
  /** Any certificate of the server under test will do, and it may be on this machine and in its network. */
  readonly insecure: boolean;
}

export function configureCheckFederation(command: Command): void {
  command
    .option('--federation', 'be a second server, too, for what only another server sees')
    .option('--listen <host:port>', 'where the second server listens (default: 127.0.0.1:0, any free port)')
    .option(
      '--federation-server-name <name>',
      'its name, which has to lead there (default: HOST:PORT of where it listens)',
    )
    .option('--signing-key <file>', 'its key, as mx2s keygen writes it (default: one is made)')
    .option('--tls-cert <file>', 'its certificate (default: a self-signed one is made)')
    .option('--tls-key <file>', 'the private key of the certificate')
    .option('--federation-ca <file>', 'with --federation: trust certificates that these have signed, too')
    .option(
      '--federation-insecure',
      'with --federation: accept any certificate of the homeserver, and reach it on this machine and its network; for tests',
    );
}

/** Undefined without `--federation`. @throws UsageError, InvalidInputError */
export function parseCheckFederation(flags: Flags): CheckFederation | undefined {
  if (!flags.given('federation')) {
    for (const [name, flag] of FEDERATION_FLAGS) {
      if (flags.given(name)) {
        throw new UsageError(`${flag} goes with --federation`, { hint: 'add --federation' });
      }
    }
    return undefined;
  }
  const listen = parseListenAddress(flags.text('listen') ?? '127.0.0.1:0');
  const name = flags.text('federationServerName');
  if (name === undefined && EVERYWHERE.includes(listen.host)) {
    throw new UsageError(`--listen ${listen.host}: nobody is found by that name`, {
      hint: 'say by which with --federation-server-name NAME',
    });
  }
  return {
    listen,
    serverName: name === undefined ? undefined : parseServerName(name),
    signingKeyFile: flags.text('signingKey'),
    certificateFiles: parseCertificateFiles(flags),
    caCertFile: flags.text('federationCa'),
    insecure: flags.given('federationInsecure'),
  };
}

const FEDERATION_FLAGS = [
  ['listen', '--listen'],
  ['federationServerName', '--federation-server-name'],
  ['signingKey', '--signing-key'],
  ['tlsCert', '--tls-cert'],
  ['tlsKey', '--tls-key'],
  ['federationCa', '--federation-ca'],
  ['federationInsecure', '--federation-insecure'],
] as const;
/** Addresses that mean every address of this machine. */
const EVERYWHERE: readonly string[] = ['0.0.0.0', '::'];
