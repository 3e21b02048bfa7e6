/**
 * Requests from server to server: finds the server by its name, connects to the address found and to no other, and
 * repeats what may pass.
 *
 * Whose name and which certificate hold is decided in resolve.ts, what may be connected to in address.ts.
 */
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import { HttpClient, type RetryNotice, type RetryPolicy } from '../http/client.js';
import { UnsentError } from '../http/network-error.js';
import { printableUrl } from '../http/printable-url.js';
import type { Answer, HttpMethod, HttpRequest, HttpResponse } from '../http/request.js';
import type { Transport } from '../http/transport.js';
import type { ServerName } from '../ids/server-name.js';
import type { Reach } from './address.js';
import { exchangeAt } from './exchange-at.js';
import { wellKnownFetch } from './fetch-well-known.js';
import { isFault, type LookUpFault, type Resolver } from './look-up.js';
import { resolveServer, type ServerRoute } from './resolve.js';
import { WellKnownCache } from './well-known.js';

export interface FederationClientOptions {
  /** Knows which certificates to trust. */
  readonly transport: Transport;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'fraction'>;
  readonly reach: Reach;
  /** What to do about failures; default: nothing, for callers with a loop of their own. */
  readonly policy?: RetryPolicy | undefined;
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
}

export interface FederationRequest {
  readonly method: HttpMethod;
  /** The request target as it goes over the wire: path from `/_matrix` and query. */
  readonly uri: string;
  /** The `Authorization` header. */
  readonly authorization?: string | undefined;
  readonly body?: string | undefined;
  /** The longest answer accepted; default 1 MiB. */
  readonly maxBodyBytes?: number | undefined;
}

export class FederationClient {
  readonly #options: FederationClientOptions;
  readonly #wellKnown: WellKnownCache;

  constructor(options: FederationClientOptions) {
    this.#options = options;
    this.#wellKnown = new WellKnownCache(wellKnownFetch(options), options.clock);
  }

  /**
   * Gives the answer of `destination`, whatever its status; a redirect is one. The server is found anew for each
   * attempt; each takes 30 s at most.
   *
   * @throws UnsentError when it cannot be found or reached; RateLimitedError, NetworkError, MalformedResponseError
   *   as `HttpClient.send` does; the signal's reason
   */
  send(destination: ServerName, request: FederationRequest, signal?: AbortSignal): Promise<HttpResponse> {
    const { transport, clock, chance, onRetry, policy = ONE_TRY } = this.#options;
    const http = new HttpClient({
      transport: {
        exchange: (each, itsSignal) => this.#exchange(destination, each, request.uri, itsSignal),
        close: () => transport.close(),
      },
      clock,
      chance,
      policy,
      onRetry,
    });
    const { method, uri, authorization, body, maxBodyBytes } = request;
    const headers = authorization === undefined ? undefined : { authorization };
    return http.send({ method, url: `https://${destination}${uri}`, headers, body, maxBodyBytes }, signal);
  }

  async #exchange(
    destination: ServerName,
    request: HttpRequest,
    uri: string,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const route = await untilAborted(this.#find(destination), signal);
    if (isFault(route)) throw notFound(destination, request, route);
    const { certificateName, host, endpoints } = route;
    const authority = certificateName.includes(':') ? `[${certificateName}]` : certificateName;
    const pinned = {
      ...request,
      url: `https://${authority}${uri}`,
      headers: { ...request.headers, host },
      redirects: 'none',
      timeoutMs: TIMEOUT_MS,
    } as const;
    return exchangeAt(endpoints, pinned, this.#options, signal);
  }

  #find(destination: ServerName): Promise<ServerRoute | LookUpFault> {
    const { resolver, chance, reach } = this.#options;
    return resolveServer(destination, {
      resolver,
      reach,
      delegateOf: (hostname) => this.#wellKnown.delegateOf(hostname),
      fraction: () => chance.fraction(),
    });
  }
}

function notFound(
  destination: ServerName,
  { method, url }: HttpRequest,
  { fault, isPassing, hint = LOOK_UP_HINT }: LookUpFault,
): UnsentError {
  const shown = printableUrl(url);
  return new UnsentError(
    { method, url: shown },
    `${method} ${shown}: cannot find the server ${destination}: ${fault}`,
    { retryable: isPassing, hint },
  );
}

/** Look-ups cannot be called off, but nobody has to wait for them. */
async function untilAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}

const ONE_TRY: RetryPolicy = { retries: 0, maxWaitMs: 0 };
const TIMEOUT_MS = 30_000;
const LOOK_UP_HINT = 'check the name of the server, and the network connection';
