/** Starts the embedded homeserver on the only listening socket of the program. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import { openHomeserver, type FirstUser, type HomeserverOptions } from './open.js';

export interface ServerOptions extends HomeserverOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
}

export interface RunningServer {
  /** Its URL, without a final slash. */
  readonly homeserver: string;
  readonly serverName: ServerName;
  readonly users: readonly FirstUser[];
  /** Resolves when no handler is at work and every answer is in its queue. */
  settled(): Promise<void>;
  /** Ends long polls and handlers, and closes the socket. */
  stop(): Promise<void>;
}

/**
 * Starts a homeserver and resolves when it answers.
 *
 * @throws UsageError when it cannot listen there or a user is named twice; InvalidInputError when a name is none
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  // The server's name may follow from its port, and the app needs the name: requests that come before it wait.
  const http = createServer((request, response) => {
    void opening.then(
      ({ app }) => app.routing(request, response),
      () => response.destroy(),
    );
  });
  http.keepAliveTimeout = KEEP_ALIVE_MS;
  const opening = listen(http, options.host ?? '127.0.0.1', options.port ?? 0).then((authority) =>
    openHomeserver(authority, options),
  );
  try {
    const { home, users, close } = await opening;
    return {
      homeserver: home.baseUrl,
      serverName: home.serverName,
      users,
      settled: () => home.delivery.settled(),
      async stop() {
        await close();
        await closeSocket(http);
      },
    };
  } catch (error) {
    await closeSocket(http);
    throw error;
  }
}

/** Gives `HOST:PORT`, with the port that it became. */
function listen(http: Server, host: string, port: number): Promise<string> {
  const shown = host.includes(':') ? `[${host}]` : host;
  return new Promise((resolve, reject) => {
    http.once('error', (cause: NodeJS.ErrnoException) => {
      const why = LISTEN_ERRORS[cause.code ?? ''] ?? cause.message;
      reject(
        new UsageError(`cannot listen on ${shown}:${port}: ${why}`, {
          hint: 'choose another --host or --port; --port 0 takes any free one',
          cause,
        }),
      );
    });
    http.listen(port, host, () => resolve(`${shown}:${(http.address() as AddressInfo).port}`));
  });
}

/** Lets answers that are under way out, but does not wait for those who do not listen. */
async function closeSocket(http: Server): Promise<void> {
  const impatience = setTimeout(() => http.closeAllConnections(), CLOSE_GRACE_MS);
  await new Promise<void>((resolve) => http.close(() => resolve()));
  clearTimeout(impatience);
}

/** Longer than clients keep a connection, so that none is closed under a request on its way. */
const KEEP_ALIVE_MS = 75_000;
const CLOSE_GRACE_MS = 1000;
const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'permission denied',
  ENOTFOUND: 'no such host',
};
