/** One exchange on one connection, within its limits. */
import { MalformedResponseError } from '../errors.js';
import type { Connection, ExchangeSink } from './connection.js';
import type { Connections } from './connections.js';
import type { Limit } from './limit.js';
import { networkErrorOf } from './network-error.js';
import { ProxyRefusal, type Peer } from './open-socket.js';
import { printableUrl } from './printable-url.js';
import { encodeRequestHead } from './request-head.js';
import type { Answer, HttpRequest } from './request.js';

/** How a request reaches its server. */
export interface Route {
  readonly peer: Peer;
  /** The proxy's URL without user information; undefined for a direct connection. */
  readonly proxy: string | undefined;
  /** For a proxy that gets the request itself and makes no tunnel: the headers that are meant for it. */
  readonly forProxy: Readonly<Record<string, string>> | undefined;
}

/**
 * Sends `request` with these `headers` and reads the answer to its end, or to its limit.
 * @param url that of the request
 * @throws NetworkError, UnsentError, MalformedResponseError for an answer that is too long; what the limit is reached with
 */
export async function dispatch(
  connections: Connections,
  route: Route,
  request: HttpRequest,
  url: URL,
  headers: Readonly<Record<string, string>>,
  limit: Limit,
): Promise<Answer> {
  const head = encodeRequestHead({
    method: request.method,
    target: `${route.forProxy === undefined ? '' : url.origin}${url.pathname}${url.search}`, // RFC 9112 section 3.2
    headers: { host: url.host, ...lengthOf(request), ...route.forProxy, ...headers },
  });
  const connection = await connect(connections, route, request, limit);
  const answer = await exchange(connection, head, route, request, limit);
  connections.giveBack(route.peer, connection);
  return answer;
}

async function connect(
  connections: Connections,
  { peer, proxy }: Route,
  request: HttpRequest,
  limit: Limit,
): Promise<Connection> {
  const idle = connections.takeIdle(peer);
  if (idle !== undefined) return idle;
  const stop = new AbortController();
  limit.watch((error) => stop.abort(error));
  try {
    return await connections.open(peer, stop.signal);
  } catch (cause) {
    stop.signal.throwIfAborted();
    throw networkErrorOf(request, { sent: false, proxy }, cause);
  }
}

async function exchange(
  connection: Connection,
  head: string,
  route: Route,
  request: HttpRequest,
  limit: Limit,
): Promise<Answer> {
  try {
    limit.throwIfReached();
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return new Promise((resolve, reject) => {
    const sink = new Exchange(connection, route, request, limit, resolve, reject);
    connection.exchange(request.method, head, request.body, sink);
  });
}

/** RFC 9110 section 8.6. */
function lengthOf({ method, body }: HttpRequest): { 'content-length'?: string } {
  if (body === undefined && method === 'GET') return {};
  return { 'content-length': String(Buffer.byteLength(body ?? '')) };
}

/** What a connection reports to: the state of one exchange. The first who settles it has the word. */
class Exchange implements ExchangeSink {
  readonly #connection: Connection;
  readonly #route: Route;
  readonly #request: HttpRequest;
  readonly #limit: Limit;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #body: BodyCollector;
  #isSettled = false;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};

  constructor(
    connection: Connection,
    route: Route,
    request: HttpRequest,
    limit: Limit,
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#route = route;
    this.#request = request;
    this.#limit = limit;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#body = new BodyCollector(request.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
    limit.watch((error) => {
      this.#fail(error);
      connection.destroy();
    });
  }

  onHead(status: number, headers: Readonly<Record<string, string>>): void {
    if (status === PROXY_WANTS_CREDENTIALS && this.#route.forProxy !== undefined)
      throw new ProxyRefusal(status);
    this.#status = status;
    this.#headers = headers;
  }

  onData(bytes: Buffer): void {
    if (this.#isSettled || this.#body.add(bytes)) return;
    // what an error says stands at its beginning; of anything else a part is worth nothing
    if (this.#status >= 400 || this.#request.mayCutBody === true) this.onEnd();
    else this.#fail(tooLong(this.#request, this.#body.maxBytes));
    this.#connection.destroy();
  }

  onEnd(): void {
    if (!this.#settle()) return;
    this.#resolve({
      status: this.#status,
      headers: this.#headers,
      body: this.#body.text(),
      url: this.#request.url,
    });
  }

  onError(cause: unknown): void {
    this.#fail(networkErrorOf(this.#request, { sent: true, proxy: this.#route.proxy }, cause));
  }

  #fail(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#limit.watch(undefined);
    return true;
  }
}

class BodyCollector {
  readonly maxBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Keeps as much of `chunk` as there is room for; false when that was not all. */
  add(chunk: Uint8Array): boolean {
    const kept = chunk.subarray(0, this.maxBytes - this.#bytes);
    this.#chunks.push(kept);
    this.#bytes += kept.length;
    return kept.length === chunk.length;
  }

  /** As UTF-8; what is none becomes U+FFFD, and a byte order mark is dropped. */
  text(): string {
    const [only = EMPTY, ...more] = this.#chunks;
    return UTF8.decode(more.length === 0 ? only : Buffer.concat(this.#chunks));
  }
}

function tooLong(request: HttpRequest, maxBytes: number): MalformedResponseError {
  const at = `${request.method} ${printableUrl(request.url)}`;
  return new MalformedResponseError(
    `a body of at most ${String(maxBytes)} bytes`,
    at,
    `${at}: the answer is longer than ${String(maxBytes)} bytes`,
    { hint: 'is this a Matrix homeserver?' },
  );
}

const UTF8 = new TextDecoder();
const EMPTY = new Uint8Array();
const PROXY_WANTS_CREDENTIALS = 407;
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;
