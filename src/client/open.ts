/** Opens the door to one homeserver that api.ts describes. */
import { MalformedResponseError, NotLoggedInError } from '../errors.js';
import type { HttpClient } from '../http/client.js';
import { printableUrl } from '../http/printable-url.js';
import type { HttpMethod, HttpRequest, HttpResponse } from '../http/request.js';
import { secretsOfRequest, strikeSecrets } from '../http/trace.js';
import { parseMatrixError } from '../wire/matrix-error.js';
import { parseAccessToken } from './access-token.js';
import type { ApiAnswer, ApiCall, ClientApi, TokenSource } from './api.js';
import { matrixErrorOf } from './error-answer.js';

export interface ClientApiOptions {
  /** As `parseHomeserverUrl` gives it. */
  readonly baseUrl: string;
  readonly http: HttpClient;
  /** Without it, only calls with `auth: 'none'` can be made. */
  readonly tokens?: TokenSource | undefined;
}

/**
 * Opens the client-server API of the homeserver at `baseUrl`.
 *
 * A token that is refused is renewed once, and the same call made again, with the same transaction ID
 * (Client-Server API v1.19, "Refreshing access tokens").
 */
export function openClientApi({ baseUrl, http, tokens }: ClientApiOptions): ClientApi {
  const send = (
    call: ApiCall,
    accessToken: string | undefined,
    signal?: AbortSignal,
  ): Promise<HttpResponse> =>
    http.send(
      {
        method: call.method,
        url: urlOf(baseUrl, call),
        body: call.body,
        accessToken,
        timeoutMs: call.timeoutMs,
        maxBodyBytes: call.maxBodyBytes,
        retry: call.retry,
        expectsObject: true,
      },
      signal,
    );

  return {
    baseUrl,
    async call(call, signal) {
      if (call.auth === 'none') return success(call, undefined, await send(call, undefined, signal));
      if (tokens === undefined) throw notLoggedIn();

      const token = parseAccessToken(await tokens.current(signal));
      const first = await send(call, token, signal);
      const renewed = isTokenRefused(first) ? await tokens.renew(token, signal) : undefined;
      if (renewed === undefined) return success(call, token, first);

      const second = await send(call, parseAccessToken(renewed), signal);
      return success(call, renewed, {
        ...second,
        attempts: first.attempts + second.attempts,
        elapsedMs: first.elapsedMs + second.elapsedMs,
      });
    },
  };
}

/** Where a call goes. `path` is percent-encoded already; the query is encoded here. */
export function urlOf(baseUrl: string, { path, query }: Pick<ApiCall, 'path' | 'query'>): string {
  const search = new URLSearchParams(query).toString();
  return `${baseUrl}/_matrix/client${path}${search === '' ? '' : `?${search}`}`;
}

function notLoggedIn(): NotLoggedInError {
  return new NotLoggedInError('no access token is known', { hint: 'run mx2s login' });
}

function isTokenRefused({ status, body }: HttpResponse): boolean {
  return status >= 400 && parseMatrixError(body).errcode === 'M_UNKNOWN_TOKEN';
}

function success(call: ApiCall, accessToken: string | undefined, answer: HttpResponse): ApiAnswer {
  const { method, body } = call;
  if (answer.status >= 400) {
    throw matrixErrorOf({ method, body, accessToken }, answer);
  }
  const success = new Success(method, { body, accessToken }, answer);
  if (answer.status >= 200 && answer.status < 300) return success;
  const { url } = success;
  throw new MalformedResponseError(
    'a status of 200',
    `${method} ${url}`,
    `${method} ${url} was answered with status ${String(answer.status)}`,
    { hint: 'is this a Matrix homeserver?' },
  );
}

class Success implements ApiAnswer {
  readonly method: HttpMethod;
  readonly body: string;
  readonly attempts: number;
  readonly elapsedMs: number;
  readonly #sent: Pick<HttpRequest, 'body' | 'accessToken'>;
  readonly #from: string;

  constructor(method: HttpMethod, sent: Pick<HttpRequest, 'body' | 'accessToken'>, answer: HttpResponse) {
    this.method = method;
    this.body = answer.body;
    this.attempts = answer.attempts;
    this.elapsedMs = answer.elapsedMs;
    this.#sent = sent;
    this.#from = answer.url;
  }

  // both are for errors, and found only then: to look for secrets takes longer than all else that is done for an answer

  get secrets(): readonly string[] {
    return secretsOfRequest(this.#sent);
  }

  get url(): string {
    // it may have followed a redirect to where the server repeats the token
    return strikeSecrets(printableUrl(this.#from), this.secrets);
  }
}
