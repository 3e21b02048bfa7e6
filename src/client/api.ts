/**
 * The door to one homeserver's client-server API: builds the URL, adds the token, renews it once when it is
 * refused softly, and turns every error answer into an error of ours. The endpoint files beside this one say
 * what to ask and how to read the answer.
 */
import type { HttpMethod, HttpRequest } from '../http/request.js';
import type { JsonText } from '../wire/json.js';

/** Where the access token comes from. A stored session can renew it; a token from the environment cannot. */
export interface TokenSource {
  /** The token to use now, renewed beforehand when it is about to expire. */
  current(signal?: AbortSignal): Promise<string>;
  /**
   * Called when the homeserver refused `refused`: gives another token (renewed by us or by another process
   * meanwhile), or undefined when there is none to be had.
   */
  renew(refused: string, signal?: AbortSignal): Promise<string | undefined>;
}

export interface ApiCall {
  readonly method: HttpMethod;
  /** Below `{homeserver}/_matrix/client`, segments already percent-encoded: `/v3/account/whoami`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly body?: JsonText | undefined;
  /** Default `token`. */
  readonly auth?: 'token' | 'none' | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxBodyBytes?: number | undefined;
  readonly retry?: HttpRequest['retry'];
}

/** A 2xx answer. The body is whatever came; the endpoint's parser reads it. */
export interface ApiAnswer {
  readonly method: HttpMethod;
  readonly url: string;
  readonly body: string;
  readonly attempts: number;
  readonly elapsedMs: number;
  /** The token and the password that were sent: an answer that repeats them is not shown. */
  readonly secrets?: readonly string[] | undefined;
}

export interface ClientApi {
  /** The homeserver's URL, path kept, without a final slash. */
  readonly baseUrl: string;
  /**
   * Makes one call.
   * @throws MatrixError for any other status, NetworkError, RedirectError, RateLimitedError, the signal's reason
   */
  call(call: ApiCall, signal?: AbortSignal): Promise<ApiAnswer>;
}
