/** One exchange on one connection, within its limits. */
import { request as startRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { MalformedResponseError } from '../errors.js';
import type { Caller, Connections, PeerRequestOptions } from './connections.js';
import type { Limit } from './limit.js';
import { networkErrorOf } from './network-error.js';
import { ProxyRefusal, type Peer } from './open-socket.js';
import { printableUrl } from './printable-url.js';
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
  limit.throwIfReached();
  const { host, port } = route.peer;
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(route, request, limit, resolve, reject);
    const options: PeerRequestOptions = {
      agent: connections,
      peer: route.peer,
      caller: exchange,
      host,
      port,
      servername: '',
      method: request.method,
      path: `${route.forProxy === undefined ? '' : url.origin}${url.pathname}${url.search}`, // RFC 9112 section 3.2
      headers: headerLines(route, request, url, headers),
      insecureHTTPParser: false,
    };
    exchange.begin(startRequest(options), request.body);
  });
}

/** Names and values in turn, which Node takes as they are: objects are copied more than once. */
function headerLines(
  { forProxy }: Route,
  { method, body }: HttpRequest,
  url: URL,
  headers: Readonly<Record<string, string>>,
): string[] {
  const lines: string[] = [];
  if (headers['host'] === undefined) lines.push('host', url.host);
  // RFC 9110 section 8.6
  if (body !== undefined || method !== 'GET') {
    lines.push('content-length', String(Buffer.byteLength(body ?? '')));
  }
  for (const [name, value] of Object.entries(forProxy ?? {})) lines.push(name, value);
  for (const [name, value] of Object.entries(headers)) lines.push(name, value);
  return lines;
}

/** The state of one exchange. The first who settles it has the word. */
class Exchange implements Caller {
  readonly #route: Route;
  readonly #request: HttpRequest;
  readonly #limit: Limit;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #body: BodyCollector;
  #isSettled = false;
  #outgoing: ClientRequest | undefined;
  #incoming: IncomingMessage | undefined;
  #connecting: AbortController | undefined;

  constructor(
    route: Route,
    request: HttpRequest,
    limit: Limit,
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#route = route;
    this.#request = request;
    this.#limit = limit;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#body = new BodyCollector(request.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
    limit.watch((error) => this.#fail(error));
  }

  begin(outgoing: ClientRequest, body: string | undefined): void {
    this.#outgoing = outgoing;
    outgoing.on('response', (incoming: IncomingMessage) => this.#onHead(incoming));
    outgoing.on('upgrade', () => this.#refuse(new UnaskedUpgrade()));
    outgoing.on('error', (error) => this.#onError(error));
    outgoing.end(body);
  }

  onConnecting(stop: AbortController): void {
    this.#connecting = stop;
  }

  #onHead(incoming: IncomingMessage): void {
    this.#incoming = incoming;
    incoming.on('error', (error) => this.#onError(error));
    incoming.on('data', (bytes: Buffer) => this.#onData(incoming, bytes));
    incoming.on('end', () => this.#onEnd(incoming));
    const status = statusOf(incoming);
    if (status < 200) this.#refuse(new UnaskedUpgrade()); // Node itself leaves out all but 101
    if (status === PROXY_WANTS_CREDENTIALS && this.#route.forProxy !== undefined) {
      this.#refuse(new ProxyRefusal(status));
    }
  }

  #onData(incoming: IncomingMessage, bytes: Buffer): void {
    if (this.#isSettled || this.#body.add(bytes)) return;
    // what an error says stands at its beginning; of anything else a part is worth nothing
    if (statusOf(incoming) >= 400 || this.#request.mayCutBody === true) this.#onEnd(incoming);
    else this.#fail(tooLong(this.#request, this.#body.maxBytes));
    this.#outgoing?.destroy();
  }

  #onEnd(incoming: IncomingMessage): void {
    if (!this.#settle()) return;
    // an answer that came before the whole request had left says nothing about the rest of that request
    if (this.#outgoing?.writableFinished === false) this.#outgoing.destroy();
    this.#resolve({
      status: statusOf(incoming),
      headers: headersOf(incoming),
      body: this.#body.text(),
      url: this.#request.url,
    });
  }

  #onError(cause: unknown): void {
    // when the answer is whole, what came after it ends the connection and not the exchange: its end is still to be told
    if (this.#incoming?.complete !== true) this.#refuse(cause);
  }

  #refuse(cause: unknown): void {
    const { socket = null } = this.#outgoing ?? {}; // there is none until it is connected
    this.#fail(networkErrorOf(this.#request, { sent: socket !== null, proxy: this.#route.proxy }, cause));
  }

  #fail(error: unknown): void {
    if (!this.#settle()) return;
    this.#reject(error);
    this.#outgoing?.destroy();
    this.#connecting?.abort(error);
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#limit.watch(undefined);
    return true;
  }
}

/** Nobody asked for another protocol (101); the code says that it is one. */
class UnaskedUpgrade extends Error {
  readonly code = 'HPE_UNASKED_UPGRADE';
}

function statusOf({ statusCode = 0 }: IncomingMessage): number {
  return statusCode;
}

/** Names in lower case; repeated headers joined as RFC 9110 section 5.3 allows, where Node would drop some. */
function headersOf({ rawHeaders }: IncomingMessage): Readonly<Record<string, string>> {
  const headers = Object.create(null) as Record<string, string>; // a name may be that of a member of all objects
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    const value = utf8Of(rawHeaders[at + 1] ?? '');
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

/** Node gives a character for each byte. */
function utf8Of(value: string): string {
  return /[\x80-\xff]/.test(value) ? Buffer.from(value, 'latin1').toString() : value;
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
