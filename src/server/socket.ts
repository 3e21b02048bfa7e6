/** A listening socket: where it is, and how it ends. */
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { UsageError } from '../errors.js';

/**
 * Gives `HOST:PORT`, with the port that it became.
 * @param flags the flags that say where, for the hint
 * @throws UsageError when it cannot listen there
 */
export function listen(server: Server, host: string, port: number, flags: string): Promise<string> {
  const shown = authorityHost(host);
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = LISTEN_ERRORS[cause.code ?? ''] ?? cause.message;
      reject(
        new UsageError(`cannot listen on ${shown}:${port}: ${why}`, {
          hint: `choose another ${flags}; port 0 takes any free one`,
          cause,
        }),
      );
    });
    server.listen(port, host, () => resolve(`${shown}:${(server.address() as AddressInfo).port}`));
  });
}

/** A host as it stands before a port. */
export function authorityHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Lets answers that are under way out, but does not wait for those who do not listen. */
export async function closeSocket(server: HttpServer | HttpsServer): Promise<void> {
  const impatience = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(impatience);
}

/** Longer than clients keep a connection, so that none is closed under a request on its way. */
export const KEEP_ALIVE_MS = 75_000;
const CLOSE_GRACE_MS = 1000;
const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'permission denied',
  ENOTFOUND: 'no such host',
};
