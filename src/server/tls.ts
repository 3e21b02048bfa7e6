/** TLS for other servers. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { InvalidInputError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import { createCertificate, type Certificate } from './certificate.js';

/**
 * Makes the TLS side of a server that listens on `host`; it listens nowhere yet.
 *
 * @param certificate default: one that is made for this start and that nobody has signed
 * @throws InvalidInputError when the certificate cannot be used
 */
export async function openTls(
  certificate: Certificate | undefined,
  host: string,
  serverName: ServerName | undefined,
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
