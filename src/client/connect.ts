/** The door for other programs: who has a homeserver's URL and an access token needs nothing else. */
import { systemChance } from '../chance.js';
import { systemClock } from '../clock.js';
import { HttpClient } from '../http/client.js';
import { openTransport } from '../http/transport.js';
import { parseAccessToken } from './access-token.js';
import type { ClientApi } from './api.js';
import { parseHomeserverUrl } from './homeserver-url.js';
import { openClientApi } from './open.js';

export interface ConnectOptions {
  /** Its URL; a path is kept. */
  readonly homeserver: string;
  /** One that lasts: it is not renewed. */
  readonly accessToken: string;
  /** How often a failure other than a rate limit is tried again; default 5. */
  readonly retries?: number | undefined;
  /** How long rate limits may delay one request, all its waits together; default one minute. */
  readonly maxWaitMs?: number | undefined;
}

/** A homeserver's client-server API, as one device. */
export interface Connection extends ClientApi {
  /** Drops what is under way, and every connection. */
  close(): Promise<void>;
}

/**
 * Opens the client-server API of a homeserver. Nothing is asked of it yet, and no proxy is used.
 * @throws InvalidInputError when the URL or the token can be none
 */
export function connect({
  homeserver,
  accessToken,
  retries = DEFAULT_RETRIES,
  maxWaitMs = DEFAULT_MAX_WAIT_MS,
}: ConnectOptions): Connection {
  const token = parseAccessToken(accessToken);
  const http = new HttpClient({
    transport: openTransport({}),
    clock: systemClock,
    chance: systemChance,
    policy: { retries, maxWaitMs },
  });
  const api = openClientApi({
    baseUrl: parseHomeserverUrl(homeserver),
    http,
    tokens: { current: async () => token, renew: async () => undefined },
  });
  return { ...api, close: () => http.close() };
}

const DEFAULT_RETRIES = 5;
const DEFAULT_MAX_WAIT_MS = 60_000;
