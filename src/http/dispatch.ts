/**
 * One exchange through undici's lowest door, `dispatch`: it alone tells when a request was really put on a
 * connection, and spares loading the rest of undici.
 */
import type { Dispatcher } from 'undici';
import { MalformedResponseError } from '../errors.js';
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
 * Sends `request` with these `headers` and reads the answer to its end.
 * @throws NetworkError, UnsentError, MalformedResponseError for an answer that is too long; the signal's reason
 */
export function dispatch(
  { dispatcher, proxy }: Route,
  request: HttpRequest,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Answer> {
  const { pathname, search } = new URL(request.url);
  const body = new BodyCollector(request.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);

  return new Promise((resolve, reject) => {
    let control: Dispatcher.DispatchController | undefined;
    let settled = false;
    let status = 0;
    let answerHeaders: Record<string, string> = {};

    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const fail = (error: unknown): void => settle(() => reject(error as Error));
    const succeed = (): void =>
      settle(() => resolve({ status, headers: answerHeaders, body: body.text(), url: request.url }));
    const onAbort = (): void => {
      fail(signal.reason);
      control?.abort(CUT_OFF);
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });

    dispatcher.dispatch(
      {
        origin: originToConnectTo(request),
        path: pathname + search,
        method: request.method,
        headers,
        body: request.body ?? null,
        // the exchange as a whole has a time limit
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      {
        onRequestStart(controller) {
          control = controller;
          if (settled) controller.abort(CUT_OFF);
        },
        onResponseStart(_controller, statusCode, rawHeaders) {
          status = statusCode;
          answerHeaders = flatHeaders(rawHeaders);
        },
        onResponseData(controller, chunk) {
          if (body.add(chunk)) return;
          // what an error says stands at its beginning; of anything else a part is worth nothing
          if (status >= 400 || request.mayCutBody === true) succeed();
          else fail(tooLong(request, body.maxBytes));
          controller.abort(CUT_OFF);
        },
        onResponseEnd() {
          // undici frees the connection one turn of the event loop later; a caller who goes on at once would
          // open a second one
          queueMicrotask(() => setImmediate(succeed));
        },
        onResponseError(_controller, cause) {
          const sent = control !== undefined;
          fail(isOurFault(cause) ? cause : networkErrorOf(request, { sent, proxy }, cause));
        },
      },
    );
  });
}

/** undici connects to what it is told is the origin. */
function originToConnectTo({ url, address }: HttpRequest): string {
  const { origin, protocol, port } = new URL(url);
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
    return new TextDecoder().decode(Buffer.concat(this.#chunks));
  }
}

/** Repeated headers joined as RFC 9110 section 5.3 allows. */
function flatHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value ?? ''].flat().join(', ')]),
  );
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

const CUT_OFF = new Error('no longer wanted');
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;
