/**
 * The one door to the network: carries a request to the server and its answer back, once.
 *
 * It follows the redirects that may be followed, keeps connections alive, and knows proxies and certificates.
 * It never repeats a request (client.ts does) and never looks into a body but to cut it off.
 */
import { X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Agent, Dispatcher, ProxyAgent } from 'undici';
import { InvalidInputError, MalformedResponseError } from '../errors.js';
import { VERSION } from '../version.js';
import { networkErrorOf, timedOut } from './network-error.js';
import { printableUrl } from './printable-url.js';
import { proxyFor, type ProxySettings } from './proxy.js';
import { followRedirect, redirectTarget } from './redirect.js';
import type { HttpRequest, HttpResponse } from './request.js';
import { openTrace, type Trace } from './trace.js';

/** An answer as it came over the wire, before anyone counted attempts. */
export type Answer = Pick<HttpResponse, 'status' | 'headers' | 'body' | 'url'>;

export interface Transport {
  /**
   * Sends `request` once and reads the answer to its end, whatever its status.
   *
   * @throws NetworkError when no complete answer came; UnsentError when the request never left;
   *   RedirectError; MalformedResponseError for a successful answer that is too long; the signal's reason
   */
  exchange(request: HttpRequest, signal?: AbortSignal): Promise<Answer>;
  /** Drops every connection, also those in use, so that the process can end at once. */
  close(): Promise<void>;
}

export interface TransportOptions extends ProxySettings {
  /** `--cacert`: PEM certificates trusted besides the default roots. */
  readonly caCertPem?: string | undefined;
  /** `--insecure`: trust any certificate. */
  readonly insecure?: boolean | undefined;
  /** Gets the wire log line by line, secrets struck out; text of the server is not escaped. */
  readonly trace?: ((line: string) => void) | undefined;
}

/**
 * Opens a transport. undici is loaded at the first exchange.
 * @throws InvalidInputError when `caCertPem` holds no PEM certificate or a proxy's URL is none
 */
export function openTransport(options: TransportOptions): Transport {
  const trust = options.caCertPem === undefined ? undefined : parseCertificates(options.caCertPem);
  return new UndiciTransport(options, trust);
}

class UndiciTransport implements Transport {
  readonly #options: TransportOptions;
  readonly #trust: readonly string[] | undefined;
  readonly #trace: Trace | undefined;
  /** One dispatcher for direct connections (key '') and one a proxy. */
  readonly #dispatchers = new Map<string, Promise<Dispatcher>>();

  constructor(options: TransportOptions, trust: readonly string[] | undefined) {
    this.#options = options;
    this.#trust = trust;
    this.#trace = options.trace && openTrace(options.trace);
  }

  async exchange(request: HttpRequest, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted();
    const stop = new AbortController();
    const abort = (): void => {
      stop.abort(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timer = setTimeout(() => {
      stop.abort(timedOut(request, timeoutMs));
    }, timeoutMs);
    try {
      return await this.#follow(request, stop.signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    const opened = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    await Promise.all(opened.map(async (dispatcher) => (await dispatcher).destroy()));
  }

  async #follow(request: HttpRequest, signal: AbortSignal): Promise<Answer> {
    let current = request;
    for (let followed = 0; ; followed += 1) {
      const answer = await this.#once(current, signal);
      const location = redirectTarget(answer);
      if (location === undefined) return answer;
      current = followRedirect(current, answer.status, location, followed);
    }
  }

  async #once(request: HttpRequest, signal: AbortSignal): Promise<Answer> {
    const headers = this.#headersOf(request);
    const dispatcher = await this.#dispatcherFor(new URL(request.url));
    this.#trace?.request(request, headers);
    try {
      const answer = await dispatch(dispatcher, request, headers, signal);
      this.#trace?.answer(answer);
      return answer;
    } catch (error) {
      this.#trace?.failure(error);
      throw error;
    }
  }

  #headersOf(request: HttpRequest): Record<string, string> {
    return {
      accept: 'application/json',
      'user-agent': `mx2s/${VERSION}`,
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(
        Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      ...(request.accessToken === undefined ? {} : { authorization: `Bearer ${request.accessToken}` }),
    };
  }

  #dispatcherFor(url: URL): Promise<Dispatcher> {
    const proxy = proxyFor(url, this.#options) ?? '';
    const known = this.#dispatchers.get(proxy);
    if (known !== undefined) return known;
    const opened = this.#openDispatcher(proxy);
    this.#dispatchers.set(proxy, opened);
    return opened;
  }

  async #openDispatcher(proxy: string): Promise<Dispatcher> {
    const { insecure } = this.#options;
    const tls = {
      timeout: CONNECT_TIMEOUT_MS,
      ...(insecure === true ? { rejectUnauthorized: false } : {}),
      ...(this.#trust === undefined ? {} : { secureContext: await trusting(this.#trust) }),
    };
    if (proxy === '') return new (loadAgent())({ connect: tls });
    const { uri, token } = parseProxy(proxy);
    return new (loadProxyAgent())({
      uri,
      ...(token === undefined ? {} : { token }),
      requestTls: tls,
      proxyTls: tls,
      proxyTunnel: false, // for https targets undici tunnels all the same
    });
  }
}

/** One exchange through undici's lowest door, which tells when the request was really put on a connection. */
function dispatch(
  dispatcher: Dispatcher,
  request: HttpRequest,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Answer> {
  const { origin, pathname, search } = new URL(request.url);
  const maxBytes = request.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;

  return new Promise((resolve, reject) => {
    let control: Dispatcher.DispatchController | undefined;
    let settled = false;
    let status = 0;
    let answerHeaders: Record<string, string> = {};
    const chunks: Buffer[] = [];
    let bytes = 0;

    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const fail = (error: unknown): void => {
      settle(() => {
        reject(error instanceof Error ? error : new Error(String(error)));
      });
      control?.abort(CUT_OFF);
    };
    const succeed = (): void => {
      settle(() => {
        const body = new TextDecoder().decode(Buffer.concat(chunks));
        resolve({ status, headers: answerHeaders, body, url: request.url });
      });
    };
    const onAbort = (): void => {
      fail(signal.reason);
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });

    dispatcher.dispatch(
      {
        origin,
        path: pathname + search,
        method: request.method,
        headers,
        body: request.body ?? null,
        // the whole exchange has its own clock
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
          const room = maxBytes - bytes;
          bytes += chunk.length;
          if (chunk.length <= room) {
            chunks.push(chunk);
          } else if (status >= 400) {
            // what an error says stands at its beginning
            chunks.push(chunk.subarray(0, room));
            succeed();
            controller.abort(CUT_OFF);
          } else {
            fail(tooLong(request, maxBytes));
          }
        },
        onResponseEnd() {
          succeed();
        },
        onResponseError(_controller, cause) {
          fail(isOurFault(cause) ? cause : networkErrorOf(request, control !== undefined, cause));
        },
      },
    );
  });
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

/** Repeated headers joined as RFC 9110 section 5.3 allows. */
function flatHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

/** undici's word for arguments that we should never have passed: a bug, not the network's doing. */
function isOurFault(cause: Error): boolean {
  return 'code' in cause && cause.code === 'UND_ERR_INVALID_ARG' && !/407/.test(cause.message);
}

function parseCertificates(pem: string): readonly string[] {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    if (certificates.length === 0) throw new Error('no certificate found');
    return certificates.map((each) => new X509Certificate(each).toString());
  } catch (cause) {
    throw new InvalidInputError('--cacert holds no PEM certificate that can be read', {
      hint: 'it begins with -----BEGIN CERTIFICATE-----',
      at: '--cacert',
      cause,
    });
  }
}

/** The default roots and ours, parsed once: Node would do it anew for each connection. */
async function trusting(certificates: readonly string[]) {
  const tls = await import('node:tls');
  return tls.createSecureContext({ ca: [...tls.rootCertificates, ...certificates] });
}

function parseProxy(proxy: string): { uri: string; token: string | undefined } {
  const text = proxy.includes('://') ? proxy : `http://${proxy}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new InvalidInputError('the proxy is no http or https URL', {
      hint: 'give it as http://HOST:PORT, with --proxy or HTTPS_PROXY',
    });
  }
  const { username, password, origin } = url;
  if (username === '' && password === '') return { uri: origin, token: undefined };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { uri: origin, token: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

// undici's own entry loads fetch, WebSocket, caches and mocks: 70 ms. These two files take 20.
const require = createRequire(import.meta.url);
const loadAgent = () => require('undici/lib/dispatcher/agent.js') as typeof Agent;
const loadProxyAgent = () => require('undici/lib/dispatcher/proxy-agent.js') as typeof ProxyAgent;

const CUT_OFF = new Error('no longer wanted');
const CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;
