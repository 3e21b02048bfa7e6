/**
 * One exchange through undici's lowest door, `dispatch`: it alone tells when a request was really put on a
 * connection, and spares loading the rest of undici.
 */
import type { Dispatcher } from 'undici';
import { MalformedResponseError } from '../errors.js';
import type { Limit } from './limit.js';
import { isProxyRefusal, networkErrorOf } from './network-error.js';
import { printableUrl } from './printable-url.js';
import type { Answer, HttpRequest } from './request.js';

/** How a request reaches its server. */
export interface Route {
  readonly dispatcher: Dispatcher;
  /** The proxy's URL without user information; undefined for a direct connection. */
  readonly proxy: string | undefined;
}

/**
 * Sends `request` with these `headers` and reads the answer to its end, or to its limit.
 * @throws NetworkError, UnsentError, MalformedResponseError for an answer that is too long; what the limit is reached with
 */
export function dispatch(
  route: Route,
  request: HttpRequest,
  url: URL,
  headers: Record<string, string>,
  limit: Limit,
): Promise<Answer> {
  limit.throwIfReached();
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(route, request, limit, resolve, reject);
    route.dispatcher.dispatch(
      {
        origin: originToConnectTo(url, request.address),
        path: url.pathname + url.search,
        method: request.method,
        headers,
        body: request.body ?? null,
        // the exchange as a whole has a time limit
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      exchange,
    );
  });
}

/** What undici reports to: the state of one exchange. The first who settles it has the word. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #route: Route;
  readonly #request: HttpRequest;
  readonly #limit: Limit;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #body: BodyCollector;
  #controller: Dispatcher.DispatchController | undefined;
  #isSettled = false;
  #status = 0;
  #headers: RawHeaders = {};

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
    limit.watch((error) => {
      this.#fail(error);
      this.#controller?.abort(CUT_OFF);
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) controller.abort(CUT_OFF);
  }

  onResponseStart(_controller: unknown, status: number, headers: RawHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#body.add(chunk)) return;
    // what an error says stands at its beginning; of anything else a part is worth nothing
    if (this.#status >= 400 || this.#request.mayCutBody === true) this.#succeed();
    else this.#fail(tooLong(this.#request, this.#body.maxBytes));
    controller.abort(CUT_OFF);
  }

  onResponseEnd(): void {
    // undici frees the connection one turn of the event loop later; a caller who goes on at once would open a second one
    queueMicrotask(() => setImmediate(() => this.#succeed()));
  }

  onResponseError(_controller: unknown, cause: Error): void {
    const attempt = { sent: this.#controller !== undefined, proxy: this.#route.proxy };
    this.#fail(isOurFault(cause) ? cause : networkErrorOf(this.#request, attempt, cause));
  }

  #succeed(): void {
    if (!this.#settle()) return;
    this.#resolve({
      status: this.#status,
      headers: flatHeaders(this.#headers),
      body: this.#body.text(),
      url: this.#request.url,
    });
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

/** undici connects to what it is told is the origin. */
function originToConnectTo({ origin, protocol, port }: URL, address: string | undefined): string {
  if (address === undefined) return origin;
  const host = address.includes(':') ? `[${address}]` : address;
  return `${protocol}//${host}${port === '' ? '' : `:${port}`}`;
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

/** Repeated headers joined as RFC 9110 section 5.3 allows; undici gives names in lower case. */
function flatHeaders(headers: RawHeaders): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name] ?? '';
    flat[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
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

/** undici's word for arguments that were never right: a bug. */
function isOurFault(cause: Error): boolean {
  return 'code' in cause && cause.code === 'UND_ERR_INVALID_ARG' && !isProxyRefusal(cause);
}

type RawHeaders = Record<string, string | string[] | undefined>;

const UTF8 = new TextDecoder();
const EMPTY = new Uint8Array();
const CUT_OFF = new Error('no longer wanted');
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;
