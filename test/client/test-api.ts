/** A client-server API on a real loopback server that answers as the test says. */
import { onTestFinished } from 'vitest';
import type { ClientApi, TokenSource } from '../../src/client/api.js';
import { openClientApi } from '../../src/client/open.js';
import { HttpClient } from '../../src/http/client.js';
import { openTransport } from '../../src/http/transport.js';
import { json, startLoopbackServer, type LoopbackServer, type Respond } from '../http/loopback-server.js';
import { TurnedClock } from '../http/turned-clock.js';

export interface TestApi {
  readonly api: ClientApi;
  readonly server: LoopbackServer;
}

export interface TestApiOptions {
  /** Default: the token `tok`, which cannot be renewed. */
  readonly tokens?: TokenSource | undefined;
  /** Appended to the server's URL. */
  readonly basePath?: string;
}

/** `respond` answers all requests; or give the body of a 200 as a value. */
export async function openTestApi(respond: Respond | object, options: TestApiOptions = {}): Promise<TestApi> {
  const server = await startLoopbackServer(
    typeof respond === 'function' ? (respond as Respond) : (_asked, response) => json(response, 200, respond),
  );
  const tokens = 'tokens' in options ? options.tokens : fixedToken('tok');
  const baseUrl = server.url + (options.basePath ?? '');
  return { server, api: openClientApi({ baseUrl, http: openTestHttp(), tokens }) };
}

export function openTestHttp(): HttpClient {
  const transport = openTransport({});
  onTestFinished(() => transport.close());
  return new HttpClient({
    transport,
    clock: new TurnedClock(),
    chance: { fraction: () => 0.5 },
    policy: { retries: 2, maxWaitMs: 60_000 },
  });
}

export function fixedToken(token: string): TokenSource {
  return { current: () => Promise.resolve(token), renew: () => Promise.resolve(undefined) };
}
