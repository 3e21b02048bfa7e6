/**
 * What stands before a Synapse of many processes, as nginx would: it looks at the path of a request, and passes it on
 * to the process that is for it.
 *
 * @see Synapse's documentation, "Scaling synapse via workers": "Available worker applications", "Stream writers" and
 *   "Load balancing"
 */
import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { GOOD, KEY } from '../../http/certificates.js';

export interface WorkerProxy {
  /** Which process is asked first for the `/sync` of the user with this localpart. */
  syncWorkerOf(localpart: string): string;
  /** Process → how many requests it has answered. */
  answered(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** Which processes are for a path: whoever is first, the others when it is not there. */
interface Route {
  readonly path: RegExp;
  readonly workers: readonly string[];
  /** Spreads the requests; without it all go to the first that is there. */
  readonly by?: (asked: IncomingMessage) => string;
}

export interface WorkerProxyOptions {
  /** The ports on loopback: for clients without TLS, for servers with a certificate of the test authority. */
  readonly clientPort: number;
  readonly federationPort: number;
  readonly clientWorkers: readonly string[];
  readonly toDeviceWriter: string;
  readonly federationReader: string;
  /** Gets all the rest. */
  readonly main: string;
  /** Where a process listens: a unix socket. */
  socketOf(worker: string): string;
}

export async function startWorkerProxy(options: WorkerProxyOptions): Promise<WorkerProxy> {
  const routes = routesOf(options);
  const agent = new Agent({ keepAlive: true });
  const answered: Record<string, number> = {};
  const onRequest = (asked: IncomingMessage, response: ServerResponse): void => {
    const pass = async (): Promise<void> => {
      const body = await bodyOf(asked);
      for (const worker of workersFor(asked, routes)) {
        const answer = await forward(asked, body, response, options.socketOf(worker), agent);
        if (answer === undefined) continue; // it is not there: nginx asks the next one, too
        answered[worker] = (answered[worker] ?? 0) + 1;
        response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
        answer.pipe(response);
        return;
      }
      throw new Error('nobody is there');
    };
    pass().catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>502 Bad Gateway</h1>\n');
    });
  };
  const servers = [
    createServer(onRequest).listen(options.clientPort, '127.0.0.1'),
    createTlsServer({ cert: GOOD, key: KEY }, onRequest).listen(options.federationPort, '127.0.0.1'),
  ];
  await Promise.all(servers.map((server) => once(server, 'listening')));
  return {
    syncWorkerOf: (localpart) => {
      const inToken = Buffer.from(localpart).toString('base64').replaceAll('=', '');
      return turned(options.clientWorkers, inToken)[0] ?? '';
    },
    answered: () => answered,
    stop: async () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
        await once(server, 'close');
      }
      agent.destroy();
    },
  };
}

/** Of the paths that the documentation gives to workers, those of the client API that have to do with devices. */
function routesOf(options: WorkerProxyOptions): Route[] {
  const { clientWorkers, toDeviceWriter, federationReader, main } = options;
  return [
    { path: /^\/_matrix\/client\/(r0|v3|unstable)\/sendToDevice\//, workers: [toDeviceWriter] },
    { path: /^\/_matrix\/client\/(r0|v3)\/sync$/, workers: clientWorkers, by: userOf },
    { path: /^\/_matrix\/client\/versions$/, workers: clientWorkers, by: anybody },
    {
      path: /^\/_matrix\/client\/(r0|v3|unstable)\/(login$|register$|account\/whoami$|keys\/query$|user\/)/,
      workers: clientWorkers,
      by: anybody,
    },
    { path: /^\/_matrix\/(federation\/|key\/v2\/query)/, workers: [federationReader] },
    { path: /^/, workers: [main] },
  ];
}

function workersFor(asked: IncomingMessage, routes: readonly Route[]): readonly string[] {
  const [path = ''] = (asked.url ?? '').split('?');
  const route = routes.find((each) => each.path.test(path));
  if (route === undefined) return [];
  return route.by === undefined ? route.workers : turned(route.workers, route.by(asked));
}

/** Beginning with one that follows from the key. */
function turned(workers: readonly string[], key: string): readonly string[] {
  const first = [...key].reduce((sum, character) => sum + character.charCodeAt(0), 0) % workers.length;
  return [...workers.slice(first), ...workers.slice(0, first)];
}

/** Synapse writes the localpart into its access tokens, so that proxies can keep a user's syncs together. */
function userOf({ headers }: IncomingMessage): string {
  return /^Bearer syt_(.*?)_/.exec(headers.authorization ?? '')?.[1] ?? '';
}

function anybody(): string {
  return crypto.randomUUID();
}

/** Undefined when nobody takes the connection; rejects when whoever took it does not answer. */
async function forward(
  asked: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  socketPath: string,
  agent: Agent,
): Promise<IncomingMessage | undefined> {
  const { method = '', url = '', rawHeaders } = asked;
  // on a unix socket nothing else says where a request comes from, and Synapse asks
  const from = ['X-Forwarded-For', asked.socket.remoteAddress ?? '', 'X-Forwarded-Proto', 'https'];
  const sent = httpRequest({ socketPath, agent, method, path: url, headers: [...rawHeaders, ...from] });
  const hangUp = () => sent.destroy();
  response.once('close', hangUp); // whoever hangs up hangs up there, too
  sent.end(body);
  try {
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.on('error', () => response.destroy());
    return answer;
  } catch (error) {
    response.off('close', hangUp);
    if (NOBODY.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The headers that are not of one connection only (RFC 9110, section 7.6.1). */
function endToEnd(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  const kept = { ...headers };
  delete kept.connection;
  delete kept['transfer-encoding'];
  return kept;
}

const NOBODY: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT']);
