/** One request as an endpoint sees it. */
import type { IncomingRequest } from '../federation/verify-request.js';
import type { JsonObject } from '../wire/json.js';

/** One request, parsed as far as every endpoint needs it. */
export interface Call {
  /** The path as it was sent, without the query. */
  readonly path: string;
  /** The host that the client believes to talk to. */
  readonly host: string | undefined;
  readonly accessToken: string | undefined;
  /** A part of the path, decoded. */
  param(name: string): string;
  /** The first value of a query parameter. */
  query(name: string): string | undefined;
  /** @throws Refusal 400 `M_NOT_JSON`, `M_BAD_JSON` */
  body(): JsonObject;
  /** The request as it came over the wire, for its signature. */
  incoming(): IncomingRequest;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}
