/** Puts the embedded homeserver together, all but its socket. */
import type { FastifyInstance } from 'fastify';
import { systemChance, type Chance } from '../chance.js';
import { systemClock, type Clock } from '../clock.js';
import { UsageError } from '../errors.js';
import type { DeviceId } from '../ids/device-id.js';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import { parseUserId, serverUserOf, type UserId } from '../ids/user-id.js';
import { openTransport } from '../http/transport.js';
import { openMemoryStore } from '../store/memory.js';
import { DEFAULT_TIMEOUT_MS, createDispatcher } from '../subsystems/dispatch.js';
import { openNats, type NatsCredentials } from '../subsystems/nats-connections.js';
import { openTable, type HandlerRule } from '../subsystems/table.js';
import type { Exchange } from '../subsystems/webhook.js';
import { buildApp } from './app.js';
import { Delivery } from './delivery.js';
import type { Homeserver } from './homeserver.js';
import type { LogEntry } from './log-entry.js';
import { createPassword, hashChosenPassword, hashMadeUpPassword } from './passwords.js';
import { createRateLimit } from './rate-limit.js';
import { createDeviceId, createTokens, pairOf } from './sessions.js';
import { SlidingConnections } from './sliding-connections.js';
import { Waiters } from './waiters.js';

export interface HomeserverOptions {
  /** Default: where it listens, `HOST:PORT`. */
  readonly serverName?: ServerName | undefined;
  /** Accounts to make, each with one device and a token. Default `alice` and `bob`. */
  readonly users?: readonly NewUser[] | undefined;
  readonly allowRegistration?: boolean | undefined;
  readonly handlers?: readonly HandlerRule[] | undefined;
  readonly handlerTimeoutMs?: number | undefined;
  readonly handlerConcurrency?: number | undefined;
  /** How many messages a second each sender may address to the server; undefined for any number. */
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
  /** Told of what should not happen: what was answered with a 500, an answer that could not be queued. */
  readonly onBug?: ((error: unknown) => void) | undefined;
}

export interface NewUser {
  /** The localpart. */
  readonly name: string;
  /** Made up unless given. */
  readonly password?: string | undefined;
}

/** An account that was made at the start. */
export interface FirstUser {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly accessToken: string;
  readonly password: string;
}

export interface OpenHomeserver {
  readonly home: Homeserver;
  readonly app: FastifyInstance;
  readonly users: readonly FirstUser[];
  /** Ends long polls and handlers; resolves when all that was under way is done. */
  close(): Promise<void>;
}

/**
 * Opens a homeserver that clients reach at `authority` (`HOST:PORT`).
 * @throws UsageError when a user is named twice; InvalidInputError when a name is none
 */
export async function openHomeserver(
  authority: string,
  options: HomeserverOptions = {},
): Promise<OpenHomeserver> {
  const {
    clock = systemClock,
    chance = systemChance,
    env = {},
    rateLimitPerSecond,
    onBug = ignore,
  } = options;
  const transport = openTransport({});
  const exchange = options.exchange ?? ((request, signal) => transport.exchange(request, signal));
  const nats = openNats({
    credentials: options.natsCredentials,
    timeoutMs: options.handlerTimeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
  const serverName = options.serverName ?? parseServerName(authority);
  const serverUser = serverUserOf(serverName);
  const store = openMemoryStore();
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
    rateLimit: rateLimitPerSecond === undefined ? undefined : createRateLimit(rateLimitPerSecond, clock),
    onEvent: options.onEvent ?? ignore,
    onFailure: options.onHandlerFailure ?? ignore,
    onBug,
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
    connections: new SlidingConnections(chance),
    allowRegistration: options.allowRegistration ?? false,
    accessTokenLifetimeMs: options.accessTokenLifetimeMs ?? DEFAULT_TOKEN_LIFETIME_MS,
  };
  const users: FirstUser[] = [];
  for (const user of options.users ?? DEFAULT_USERS) users.push(await createUser(home, user));
  const app = await buildApp(home, onBug);
  return {
    home,
    app,
    users,
    async close() {
      waiters.close();
      await dispatcher.close();
      await delivery.settled();
      await nats.close();
      await transport.close();
      await store.close();
      await app.close();
    },
  };
}

async function createUser(home: Homeserver, { name, password: chosen }: NewUser): Promise<FirstUser> {
  const userId = parseUserId(`@${name}:${home.serverName}`, 'strict');
  const password = chosen ?? createPassword(home.chance);
  const passwordHash =
    chosen === undefined ? hashMadeUpPassword(password) : await hashChosenPassword(chosen, home.chance);
  if (!(await home.store.createAccount({ userId, passwordHash }))) {
    throw new UsageError(`the user ${name} is named twice`);
  }
  const deviceId = createDeviceId(home);
  const tokens = createTokens(home, false);
  const device = { userId, deviceId, displayName: undefined };
  await home.store.openSession(device, pairOf(home, tokens), { revokeOthers: false });
  return { userId, deviceId, accessToken: tokens.accessToken, password };
}

function ignore(): void {
  // nobody asked to be told
}

const DEFAULT_USERS: readonly NewUser[] = [{ name: 'alice' }, { name: 'bob' }];
const DEFAULT_TOKEN_LIFETIME_MS = 5 * 60_000;
