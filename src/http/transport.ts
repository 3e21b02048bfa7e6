/**
 * The one door to the network: carries a request to the server and its answer back, once.
 *
 * It follows the redirects that may be followed, keeps connections alive, and knows proxies and certificates.
 * It never repeats a request (client.ts does) and never looks into a body.
 */
import { InvalidInputError } from '../errors.js';
import { VERSION } from '../version.js';
import type { TrustedRoots } from './certificates.js';
import { Connections } from './connections.js';
import { dispatch, type Route } from './dispatch.js';
import { Limit } from './limit.js';
import { timedOut } from './network-error.js';
import type { Peer } from './open-socket.js';
import { proxyFor, type ProxySettings } from './proxy.js';
import { followRedirect, redirectTarget } from './redirect.js';
import type { Answer, HttpRequest } from './request.js';
import { openTrace, type Trace } from './trace.js';

export interface Transport {
  /**
   * Sends `request` once and reads the answer to its end, whatever its status.
   *
   * @throws NetworkError when no complete answer came, UnsentError when the request never left; RedirectError;
   *   MalformedResponseError for a successful answer that is too long; InvalidInputError for a proxy that is none;
   *   the signal's reason
   */
  exchange(request: HttpRequest, signal?: AbortSignal): Promise<Answer>;
  /** Drops every connection, also those in use, so that the process can end at once. */
  close(): Promise<void>;
}

export interface TransportOptions extends ProxySettings {
  /** `--cacert`: what is trusted in place of the default roots alone. */
  readonly trusted?: TrustedRoots | undefined;
  /** `--insecure`: trust any certificate. */
  readonly insecure?: boolean | undefined;
  /** Gets the wire log line by line, secrets struck out; text of the server is not escaped. */
  readonly trace?: ((line: string) => void) | undefined;
}

/**
 * Opens a transport. It connects when it has to.
 *
 * @throws InvalidInputError when `proxy` is no URL or holds a password, which would show in the list of processes
 */
export function openTransport(options: TransportOptions): Transport {
  const { proxy } = options;
  // a single word is a slip, and would be looked for in DNS
  if (proxy !== undefined && proxy !== '' && !/:\/\/|:\d+\/?$/.test(proxy)) throw noProxyUrl();
  if (proxy !== undefined && proxy !== '' && parseProxy(proxy).authorization !== undefined) {
    throw new InvalidInputError('--proxy: the URL holds user information', {
      hint: 'put such a URL into HTTPS_PROXY',
      at: '--proxy',
    });
  }
  return new SocketTransport(options);
}

class SocketTransport implements Transport {
  readonly #options: TransportOptions;
  readonly #connections: Connections;
  readonly #trace: Trace | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#connections = new Connections(options);
    this.#trace = options.trace && openTrace(options.trace);
  }

  async exchange(request: HttpRequest, signal?: AbortSignal): Promise<Answer> {
    const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const limit = new Limit(timeoutMs, () => timedOut(request, timeoutMs), signal);
    try {
      return await this.#follow(request, limit);
    } finally {
      limit.lift();
    }
  }

  close(): Promise<void> {
    this.#connections.close();
    return Promise.resolve();
  }

  async #follow(request: HttpRequest, limit: Limit): Promise<Answer> {
    let current = request;
    for (let followed = 0; ; followed += 1) {
      const answer = await this.#once(current, limit);
      const location = redirectTarget(answer);
      if (location === undefined || request.redirects === 'none') return answer;
      current = followRedirect(current, answer.status, location, followed);
    }
  }

  async #once(request: HttpRequest, limit: Limit): Promise<Answer> {
    const url = new URL(request.url);
    const headers = headersOf(request, url);
    const route = this.#routeTo(request, url, headers);
    this.#trace?.request(request, headers);
    try {
      const answer = await dispatch(this.#connections, route, request, url, headers, limit);
      this.#trace?.answer(answer);
      return answer;
    } catch (error) {
      this.#trace?.failure(error);
      throw error;
    }
  }

  #routeTo({ address }: HttpRequest, url: URL, headers: Readonly<Record<string, string>>): Route {
    const { host } = headers;
    const server = peerOf(url, address, host === undefined ? url : new URL(`https://${host}`));
    const proxyUrl = address === undefined ? proxyFor(url, this.#options) : undefined;
    if (proxyUrl === undefined) return { peer: server, proxy: undefined, forProxy: undefined };

    const { uri, authorization } = parseProxy(proxyUrl);
    const proxy = peerOf(new URL(uri));
    if (url.protocol === 'https:') {
      const key = `${proxy.key} ${server.key}`; // the settings hold one proxy at most that counts
      return { peer: { ...server, key, tunnel: { proxy, authorization } }, proxy: uri, forProxy: undefined };
    }
    const forProxy: Record<string, string> = {};
    if (authorization !== undefined) forProxy['proxy-authorization'] = authorization;
    return { peer: proxy, proxy: uri, forProxy };
  }
}

function peerOf(url: URL, host = hostnameOf(url), certified = url): Peer {
  const isTls = url.protocol === 'https:';
  const port = Number(url.port) || (isTls ? 443 : 80);
  const certifiedFor = isTls ? hostnameOf(certified) : undefined;
  return { key: `${host} ${String(port)} ${certifiedFor ?? ''}`, host, port, certifiedFor };
}

/** A URL has an IPv6 address in brackets. */
function hostnameOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function headersOf(
  { address, body, headers = {}, accessToken }: HttpRequest,
  { host }: URL,
): Record<string, string> {
  const all: Record<string, string> = { accept: 'application/json', 'user-agent': `mx2s/${VERSION}` };
  if (address !== undefined) all['host'] = host; // the certificate is checked against it
  if (body !== undefined) all['content-type'] = 'application/json';
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value;
  if (accessToken !== undefined) all['authorization'] = `Bearer ${accessToken}`;
  return all;
}

/** A proxy without a scheme is http, as curl has it. The error does not show it: it may hold a password. */
function parseProxy(proxy: string): { uri: string; authorization: string | undefined } {
  try {
    const url = new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
    if (!/^https?:$/.test(url.protocol)) throw new Error('another scheme');
    const { username, password, origin } = url;
    if (username === '' && password === '') return { uri: origin, authorization: undefined };
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return { uri: origin, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  } catch {
    throw noProxyUrl();
  }
}

function noProxyUrl(): InvalidInputError {
  return new InvalidInputError('the proxy is no http or https URL', {
    hint: 'give it as http://HOST:PORT, with --proxy or HTTPS_PROXY',
  });
}

const DEFAULT_TIMEOUT_MS = 30_000;
