/** One HTTP exchange as values: what is asked, what was answered. Nothing here opens a socket. */

/** The methods that Matrix uses. */
export type HttpMethod = 'GET' | 'PUT' | 'POST' | 'DELETE';

export interface HttpRequest {
  readonly method: HttpMethod;
  /** Absolute; never holds user information or a token. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** Sent as `Authorization: Bearer …`; struck out of every trace; goes to the URL's own origin only. */
  readonly accessToken?: string | undefined;
  /** How long the whole exchange may take; default 30 000. */
  readonly timeoutMs?: number | undefined;
  /** The longest body accepted; default 1 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Only the status counts: a body that is longer is cut, and no fault. */
  readonly mayCutBody?: boolean | undefined;
  /** A success is a JSON object: one that is not gets a second chance, as from a proxy that is starting. */
  readonly expectsObject?: boolean | undefined;
  /**
   * `anywhere` is for `.well-known` of the client API only; with `none` a redirect is the answer. Default
   * `same-origin`.
   */
  readonly redirects?: 'same-origin' | 'anywhere' | 'none' | undefined;
  /**
   * The IP address to connect to, without any look-up and never through a proxy; the URL's host itself, if that is
   * an address. The certificate has to be made out to the URL's host all the same, or to that of a `host` header
   * where there is one.
   */
  readonly address?: string | undefined;
  /**
   * `unsent` is for what must not be done twice (`POST /login`): retried only if the connection was never made, or
   * the server refused with a rate limit. `never` is for a guess that may well fail. Default `safe`.
   */
  readonly retry?: 'safe' | 'unsent' | 'never' | undefined;
}

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Where the answer came from, after redirects. */
  readonly url: string;
}

/** An answer, and what it took to get it. */
export interface HttpResponse extends Answer {
  /** How many times the request went out, 1 or more. */
  readonly attempts: number;
  /** From the first attempt to the last byte. */
  readonly elapsedMs: number;
}
