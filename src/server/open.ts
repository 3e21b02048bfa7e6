/** Puts the embedded homeserver together, all but its socket. */
import type { FastifyInstance } from 'fastify';
import { systemChance, type Chance } from '../chance.js';
import { systemClock, type Clock } from '../clock.js';
import { openTransport } from '../http/transport.js';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import { serverUserOf } from '../ids/user-id.js';
import { openMemoryStore } from '../store/memory.js';
import type { Store } from '../store/store.js';
import { DEFAULT_TIMEOUT_MS, createDispatcher } from '../subsystems/dispatch.js';
import { openNats, type NatsCredentials } from '../subsystems/nats-connections.js';
import { openTable, type HandlerRule } from '../subsystems/table.js';
import type { Exchange } from '../subsystems/webhook.js';
import { buildApp } from './app.js';
import { Delivery } from './delivery.js';
import { Federation, type FederationOptions } from './federation.js';
import { openFirstUsers, type FirstUser, type NewUser } from './first-users.js';
import type { Homeserver } from './homeserver.js';
import { openIdentity } from './identity.js';
import type { LogEntry } from './log-entry.js';
import { createRateLimit } from './rate-limit.js';
import { CLIENT_ENDPOINTS } from './routes/client/endpoints.js';
import { FEDERATION_ENDPOINTS } from './routes/federation/endpoints.js';
import { SlidingConnections } from './sliding-connections.js';
import { Waiters } from './waiters.js';

export interface HomeserverOptions {
  /** Default: where it listens, `HOST:PORT`. */
  readonly serverName?: ServerName | undefined;
  /** What the server remembers; default: nothing beyond its own life. Closed with the server. */
  readonly store?: Store | undefined;
  readonly federation?: FederationOptions | undefined;
  /** Accounts to have, each with one device and a fresh token. Default `alice` and `bob`. */
  readonly users?: readonly NewUser[] | undefined;
  readonly allowRegistration?: boolean | undefined;
  readonly handlers?: readonly HandlerRule[] | undefined;
  readonly handlerTimeoutMs?: number | undefined;
  readonly handlerConcurrency?: number | undefined;
  /** How many messages a second each sender, or each other server, may address to the server; undefined for any number. */
  readonly rateLimitPerSecond?: number | undefined;
  /** For clients that ask for refresh tokens; default 5 minutes. */
  readonly accessTokenLifetimeMs?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly chance?: Chance | undefined;
  /** The environment of `exec:` handlers; default empty. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** How `http(s)://` handlers reach their web service; by default over connections of the server's own. */
  readonly exchange?: Exchange | undefined;
  /** For `nats://` handlers; default none. */
  readonly natsCredentials?: NatsCredentials | undefined;
  /** Gets the event log, entry by entry. */
  readonly onEvent?: ((entry: LogEntry) => void) | undefined;
  /** Told why a handler failed; its sender never is. */
  readonly onHandlerFailure?: ((type: string, reason: string) => void) | undefined;
  /** Told of what was answered with a 5xx, or lost an answer: an error of the database (`isDatabaseError`), or a bug. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

export interface OpenHomeserver {
  readonly home: Homeserver;
  readonly app: FastifyInstance;
  readonly users: readonly FirstUser[];
  /** there was an account that is the server now. */
  readonly tookOverAccount: boolean;
  /** Ends long polls, handlers and what is on its way to other servers; resolves when nothing is under way. */
  quiesce(): Promise<void>;
  /** Does the same, and lets go of everything. */
  close(): Promise<void>;
}

/**
 * Opens a homeserver that clients reach at `authority` (`HOST:PORT`).
 * @throws UsageError when a user is named twice or the store is of another server; InvalidInputError when a name is none
 */
export async function openHomeserver(
  authority: string,
  options: HomeserverOptions = {},
): Promise<OpenHomeserver> {
  const {
    clock = systemClock,
    chance = systemChance,
    env = {},
    onEvent = ignore,
    onFault = ignore,
  } = options;
  const { rateLimitPerSecond, store = openMemoryStore() } = options;
  const transport = openTransport({});
  const exchange = options.exchange ?? ((request, signal) => transport.exchange(request, signal));
  const nats = openNats({
    credentials: options.natsCredentials,
    timeoutMs: options.handlerTimeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
  const serverName = options.serverName ?? parseServerName(authority);
  const serverUser = serverUserOf(serverName);
  const identity = await openIdentity(store, serverName, options.federation?.signingKeys, chance);
  const federation = new Federation({ identity, store, clock, chance }, options.federation ?? {});
  const waiters = new Waiters();
  const dispatcher = createDispatcher({
    handlerFor: openTable(options.handlers ?? [], {
      server: serverName,
      clock,
      env,
      exchange,
      natsRequest: nats.request,
    }),
    clock,
    concurrency: options.handlerConcurrency,
    timeoutMs: options.handlerTimeoutMs,
  });
  const delivery = new Delivery({
    serverName,
    serverUser,
    store,
    waiters,
    dispatcher,
    outbox: federation.outbox,
    rateLimit: rateLimitPerSecond === undefined ? undefined : createRateLimit(rateLimitPerSecond, clock),
    clock,
    chance,
    onEvent,
    onFailure: options.onHandlerFailure ?? ignore,
    onFault,
  });
  const home: Homeserver = {
    serverName,
    serverUser,
    baseUrl: `http://${authority}`,
    store,
    clock,
    chance,
    waiters,
    delivery,
    federation,
    onEvent,
    droppedEdus: { other_edu: 0, bad_shape: 0, spoofed: 0 },
    connections: new SlidingConnections(chance),
    allowRegistration: options.allowRegistration ?? false,
    accessTokenLifetimeMs: options.accessTokenLifetimeMs ?? DEFAULT_TOKEN_LIFETIME_MS,
  };
  // its tokens, devices and messages go; nobody logs in as the server, and what comes for it is dispatched
  const tookOverAccount = await store.deleteAccount(serverUser);
  const users = await openFirstUsers(home, options.users ?? DEFAULT_USERS);
  const app = await buildApp(home, [...CLIENT_ENDPOINTS, ...FEDERATION_ENDPOINTS], onFault);
  await federation.outbox.start();

  async function quiesce(): Promise<void> {
    waiters.close();
    await dispatcher.close();
    await delivery.settled();
    await federation.stop();
  }

  return {
    home,
    app,
    users,
    tookOverAccount,
    quiesce,
    async close() {
      await quiesce();
      await app.close();
      await nats.close();
      await transport.close();
      await store.close();
    },
  };
}

function ignore(): void {
  // nobody asked to be told
}

const DEFAULT_USERS: readonly NewUser[] = [{ name: 'alice' }, { name: 'bob' }];
const DEFAULT_TOKEN_LIFETIME_MS = 5 * 60_000;
