/** Starts the embedded homeserver on the only listening sockets of the program. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import { buildApp } from './app.js';
import type { Certificate } from './certificate.js';
import type { FirstUser } from './first-users.js';
import type { Homeserver } from './homeserver.js';
import { openHomeserver, type HomeserverOptions, type OpenHomeserver } from './open.js';
import { FEDERATION_ENDPOINTS } from './routes/federation/endpoints.js';
import { KEEP_ALIVE_MS, closeSocket, listen } from './socket.js';
import { openHttps } from './tls.js';

export interface ServerOptions extends HomeserverOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Default 0: any free port. Plain HTTP, for clients and other servers. */
  readonly port?: number | undefined;
  /** Where other servers are served over TLS; 0 for any free port; default: nowhere. */
  readonly federationPort?: number | undefined;
  /** For TLS; default: one that is made for this start and that nobody has signed. */
  readonly certificate?: Certificate | undefined;
}

export interface RunningServer {
  /** Its URL, without a final slash. */
  readonly homeserver: string;
  /** The URL for other servers, without a final slash; undefined where there is no such listener. */
  readonly federation: string | undefined;
  readonly serverName: ServerName;
  readonly users: readonly FirstUser[];
  /** there was an account that is the server now. */
  readonly tookOverAccount: boolean;
  /** How many EDUs of other servers were dropped so far, by reason. */
  readonly droppedEdus: Readonly<Homeserver['droppedEdus']>;
  /** Resolves when no handler is at work and every answer is in its queue. */
  settled(): Promise<void>;
  /** Ends long polls and handlers, and closes the sockets. */
  stop(): Promise<void>;
}

/**
 * Starts a homeserver and resolves when it answers. Unless it is given a name, it is called by where other servers
 * reach it.
 *
 * @throws UsageError when it cannot listen there, a user is named twice, or the store is of another server;
 *   InvalidInputError when a name is none, or the certificate cannot be used
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 0, federationPort } = options;
  // The server's name may follow from its ports, and the app needs the name: requests that come before it wait.
  const plain = createServer((request, response) => handle(request, response, ({ app }) => app));
  const { certificate, serverName } = options;
  const tls = federationPort === undefined ? undefined : await openHttps({ certificate, host, serverName });
  tls?.on('request', (request, response) => handle(request, response, ({ federationApp }) => federationApp));
  const sockets = tls === undefined ? [plain] : [plain, tls];
  for (const socket of sockets) socket.keepAliveTimeout = KEEP_ALIVE_MS;
  const opening = open();

  function handle(
    request: IncomingMessage,
    response: ServerResponse,
    chosen: (apps: Awaited<typeof opening>) => FastifyInstance,
  ): void {
    void opening.then(
      (apps) => chosen(apps).routing(request, response),
      () => response.destroy(),
    );
  }

  async function open(): Promise<OpenHomeserver & { federationApp: FastifyInstance; federation?: string }> {
    const authority = await listen(plain, host, port, '--host or --port');
    const federationAuthority =
      tls && (await listen(tls, host, federationPort ?? 0, '--host or --federation-port'));
    const serverName = options.serverName ?? parseServerName(federationAuthority ?? authority);
    const opened = await openHomeserver(authority, { ...options, serverName });
    if (federationAuthority === undefined) return { ...opened, federationApp: opened.app };
    const federationApp = await buildApp(opened.home, FEDERATION_ENDPOINTS, options.onFault ?? ignore);
    return { ...opened, federationApp, federation: `https://${federationAuthority}` };
  }

  try {
    const { home, users, tookOverAccount, federation, federationApp, quiesce, close } = await opening;
    return {
      homeserver: home.baseUrl,
      federation,
      serverName: home.serverName,
      users,
      tookOverAccount,
      droppedEdus: home.droppedEdus,
      settled: () => home.delivery.settled(),
      async stop() {
        await quiesce();
        await Promise.all(sockets.map(closeSocket));
        await federationApp.close();
        await close();
      },
    };
  } catch (error) {
    await Promise.all(sockets.map(closeSocket));
    await options.store?.close();
    throw error;
  }
}

function ignore(): void {
  // nobody asked to be told
}
