/** What an endpoint is, so that the files in `routes/` know nothing of the web server that carries them. */
import type { ServerName } from '../ids/server-name.js';
import type { DeviceRef } from '../store/store.js';
import type { JsonText } from '../wire/json.js';
import type { Call } from './call.js';
import type { Homeserver } from './homeserver.js';
import { authenticate } from './sessions.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** `Home` is what it needs of the server. */
export interface Endpoint<Home = Homeserver> {
  readonly method: Method;
  /** Whole paths, with `:name` for a part that varies, and `:name` followed by `NOT_EMPTY` for one that has to be there. */
  readonly paths: readonly string[];
  /** The body of a 200. @throws Refusal for any other answer */
  readonly answer: (home: Home, call: Call) => Promise<JsonText>;
}

/** An endpoint that anybody may call. */
export function open<Home = Homeserver>(
  method: Method,
  paths: readonly string[],
  answer: (home: Home, call: Call) => Promise<JsonText>,
): Endpoint<Home> {
  return { method, paths, answer };
}

/** An endpoint that needs an access token; it is told whose device calls. */
export function authenticated(
  method: Method,
  paths: readonly string[],
  answer: (home: Homeserver, call: Call, device: DeviceRef) => Promise<JsonText>,
): Endpoint {
  return {
    method,
    paths,
    answer: async (home, call) => answer(home, call, await authenticate(home, call)),
  };
}

/** An endpoint that other servers call with a signature; it is told who calls. */
export function signed(
  method: Method,
  paths: readonly string[],
  answer: (home: Homeserver, call: Call, origin: ServerName) => Promise<JsonText>,
): Endpoint {
  return {
    method,
    paths,
    answer: async (home, call) => answer(home, call, (await home.federation.verify(call.incoming())).origin),
  };
}

/** The paths of a stable endpoint: `v3`, and `r0` for clients that never learnt of it. */
export function stable(path: string): string[] {
  return ['v3', 'r0'].map((version) => `/_matrix/client/${version}${path}`);
}

/** A part of a path that is empty names nothing: the path is then none of ours. */
export const NOT_EMPTY = '(^[^]+$)';
