/** The embedded homeserver as probes see it through a client, with one thing twisted on the way. No socket is opened. */
import { systemChance } from '../../src/chance.js';
import { Bench, type Account, type BenchOptions } from '../../src/check/bench.js';
import { Registrar } from '../../src/check/registrar.js';
import { openClientApi } from '../../src/client/open.js';
import { syncV3 } from '../../src/client/sync.js';
import { systemClock } from '../../src/clock.js';
import { HttpClient } from '../../src/http/client.js';
import type { Answer, HttpRequest } from '../../src/http/request.js';
import { parseDeviceId } from '../../src/ids/device-id.js';
import { parseUserId } from '../../src/ids/user-id.js';
import type { FirstUser } from '../../src/server/first-users.js';
import type { HomeserverOptions } from '../../src/server/open.js';
import { openTestServer, type TestServer } from '../server/kit.js';

/** Answers a request in the server's place, or passes it on, changed or not. */
export type Twist = (
  request: TwistRequest,
  pass: (request?: TwistRequest) => Promise<Answer>,
) => Promise<Answer>;

/** A request with what twists look at. */
export interface TwistRequest extends HttpRequest {
  /** Below `/_matrix/client`, without the query. */
  readonly path: string;
}

export interface TwistedOptions extends Partial<BenchOptions> {
  readonly twist?: Twist | undefined;
  readonly server?: (HomeserverOptions & { readonly on?: readonly string[] }) | undefined;
}

/** A bench in front of `hs.test`, where alice looks and bob is the other account; it goes with the test. */
export async function twistedBench({
  twist,
  server: serverOptions,
  ...options
}: TwistedOptions = {}): Promise<{
  readonly bench: Bench;
  readonly server: TestServer;
}> {
  const server = await openTestServer({ allowRegistration: true, ...serverOptions });
  const http = new HttpClient({
    transport: { exchange: (request) => exchange(server, request, twist), close: async () => undefined },
    clock: systemClock,
    chance: systemChance,
    policy: { retries: 0, maxWaitMs: 0 },
  });
  const runId = 'run';
  const accountOf = (user: FirstUser): Account => accountAt(http, user, runId);
  const bench = new Bench({
    account: accountOf(server.alice),
    other: accountOf(server.bob),
    registrar: new Registrar({ http, homeserver: HOMESERVER, chance: systemChance }),
    probeType: 'mx2s.ping',
    runId,
    waitMs: WAIT_MS,
    clock: systemClock,
    chance: systemChance,
    ...options,
  });
  return { bench, server };
}

/** A 200 with this body. */
export function ok(body: unknown, status = 200): Answer {
  return { status, headers: {}, body: JSON.stringify(body), url: HOMESERVER };
}

async function exchange(server: TestServer, request: HttpRequest, twist: Twist | undefined): Promise<Answer> {
  const pass = async (passed: HttpRequest = request): Promise<Answer> => {
    const { method, url, accessToken: token, body } = passed;
    const reply = await server.call(method, url.slice(HOMESERVER.length), { token, body });
    return { status: reply.status, headers: {}, body: reply.text, url };
  };
  if (twist === undefined) return pass();
  const path = new URL(request.url).pathname.slice('/_matrix/client'.length);
  return twist({ ...request, path }, pass);
}

function accountAt(http: HttpClient, { userId, deviceId, accessToken }: FirstUser, runId: string): Account {
  const tokens = { current: async () => accessToken, renew: async () => undefined };
  const api = openClientApi({ baseUrl: HOMESERVER, http, tokens });
  let since: string | undefined;
  return {
    userId: parseUserId(userId),
    deviceId: parseDeviceId(deviceId),
    api,
    inbox: {
      read: async (timeoutMs, signal) => {
        const batch = await syncV3(api, { since, timeoutMs }, signal);
        since = batch.nextBatch;
        return batch.events.filter(({ content }) => content.includes(runId));
      },
      settle: async () => {
        since = (await syncV3(api, { since, timeoutMs: 0 })).nextBatch;
      },
    },
  };
}

const HOMESERVER = 'http://hs.test';
/** Long enough for what comes, short enough for what does not. */
const WAIT_MS = 250;
