/** `mx2s send --as`: what its flags ask for. */
import type { Command } from 'commander';
import { InvalidInputError, UsageError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import { isServerUser, parseUserId, serverNameOf } from '../ids/user-id.js';
import type { Flags } from './define.js';
import {
  parseCertificateFiles,
  parseListenAddress,
  type CertificateFiles,
  type ListenAddress,
} from './listening-options.js';

/** As whom to speak, and what that takes. */
export interface SendAs {
  readonly serverName: ServerName;
  readonly signingKeyFile: string;
  /** Where to publish the key while the command runs. */
  readonly listen: ListenAddress | undefined;
  readonly certificateFiles: CertificateFiles | undefined;
  /** Certificates to trust in other servers, which then may be on this machine and in its network. */
  readonly caCertFile: string | undefined;
  /** Any certificate of other servers will do, and they may be on this machine and in its network. */
  readonly insecure: boolean;
}

export function configureSendAs(command: Command): void {
  command
    .option('--as <@:domain>', 'send as this server, over federation; needs no login')
    .option('--signing-key <file>', 'with --as: the key of the server, as mx2s keygen writes it')
    .option('--listen <host:port>', 'with --as: publish the key there while the command runs')
    .option('--tls-cert <file>', 'with --listen: the certificate (default: a self-signed one is made)')
    .option('--tls-key <file>', 'with --listen: its private key')
    .option(
      '--federation-ca <file>',
      'with --as: trust other servers whose certificates these have signed, too, and reach them on this machine and its network',
    )
    .option(
      '--federation-insecure',
      'with --as: accept any certificate of other servers, and reach them on this machine and its network; for tests',
    );
}

/** Undefined without `--as`. @throws UsageError, InvalidInputError */
export function parseSendAs(flags: Flags): SendAs | undefined {
  const as = flags.text('as');
  if (as === undefined) {
    for (const [name, flag] of AS_FLAGS) {
      if (flags.given(name))
        throw new UsageError(`${flag} goes with --as`, { hint: 'add --as @:example.org' });
    }
    return undefined;
  }
  const serverName = parseSpeaker(as);
  const signingKeyFile = flags.text('signingKey');
  if (signingKeyFile === undefined) {
    throw new UsageError(`--as ${as} needs the signing key of ${serverName}`, {
      hint: 'name its file with --signing-key; mx2s keygen makes one',
    });
  }
  const listen = flags.text('listen');
  return {
    serverName,
    signingKeyFile,
    listen: listen === undefined ? undefined : parseListenAddress(listen),
    certificateFiles: parseCertificateOfListener(flags),
    caCertFile: flags.text('federationCa'),
    insecure: flags.given('federationInsecure'),
  };
}

function parseSpeaker(text: string): ServerName {
  const user = parseUserId(text);
  if (isServerUser(user)) return serverNameOf(user);
  throw new InvalidInputError(`--as: ${user} is a user, and only servers sign what they send`, {
    at: '--as',
    reason: 'E_NOT_SERVER',
    hint: `write @:${serverNameOf(user)}`,
  });
}

function parseCertificateOfListener(flags: Flags): CertificateFiles | undefined {
  const files = parseCertificateFiles(flags);
  if (files === undefined || flags.given('listen')) return files;
  throw new UsageError('--tls-cert is for --listen, which was not given', {
    hint: 'add --listen 0.0.0.0:8448',
  });
}

const AS_FLAGS = [
  ['signingKey', '--signing-key'],
  ['listen', '--listen'],
  ['tlsCert', '--tls-cert'],
  ['tlsKey', '--tls-key'],
  ['federationCa', '--federation-ca'],
  ['federationInsecure', '--federation-insecure'],
] as const;
