/** TLS for other servers. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { InvalidInputError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import { createCertificate, type Certificate } from './certificate.js';

/** Who we are over TLS. */
export interface TlsIdentity {
  /** Default: one that is made for this start and that nobody has signed. */
  readonly certificate: Certificate | undefined;
  /** Where we listen. */
  readonly host: string;
  readonly serverName: ServerName | undefined;
}

/**
 * Makes a server of HTTP over TLS; it listens nowhere yet.
 * @throws InvalidInputError when the certificate cannot be used
 */
export function openHttps(identity: TlsIdentity): Promise<HttpsServer> {
  return withCertificate(identity, createHttpsServer);
}

/**
 * Makes a server that does nothing but TLS, for a `connection` that is handed to it: what comes of it is a
 * `secureConnection`. (Only Node's server of HTTP over TLS can be handed one; that of Bun takes it for plain HTTP.)
 *
 * @param handshakeTimeoutMs how long a handshake may take; default two minutes, as Node has it
 * @throws InvalidInputError when the certificate cannot be used
 */
export function openTls(identity: TlsIdentity, handshakeTimeoutMs = HANDSHAKE_MS): Promise<TlsServer> {
  return withCertificate(identity, (certificate) => {
    const options = { ...certificate, ALPNProtocols: ['http/1.1'], handshakeTimeout: handshakeTimeoutMs };
    // it only tells of a handshake that fails or takes too long, and leaves the connection to us
    return createTlsServer(options).on('tlsClientError', (_error, socket) => socket.destroy());
  });
}

async function withCertificate<Server>(
  { certificate, host, serverName }: TlsIdentity,
  createServer: (certificate: Certificate) => Server,
): Promise<Server> {
  const { cert, key } = certificate ?? (await createCertificate(hostsOf(host, serverName)));
  try {
    // an empty file would be taken for none at all, and every handshake fail
    new X509Certificate(cert);
    createPrivateKey(key);
    return createServer({ cert, key });
  } catch (cause) {
    throw new InvalidInputError(`the certificate cannot be used: ${(cause as Error).message}`, {
      hint: 'give a certificate and its own private key, both as PEM',
      cause,
    });
  }
}

/** Where we listen, and what we are called. */
function hostsOf(host: string, serverName: ServerName | undefined): string[] {
  const named = (serverName ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return [...new Set(named === '' ? [host] : [host, named])];
}

const HANDSHAKE_MS = 120_000;
