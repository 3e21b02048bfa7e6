/** A homeserver without a socket, and a client that calls it through `inject()`. */
import { onTestFinished } from 'vitest';
import type { Resolver } from '../../src/federation/look-up.js';
import { parseServerName } from '../../src/ids/server-name.js';
import type { LogEntry } from '../../src/server/log-entry.js';
import type { FirstUser } from '../../src/server/first-users.js';
import { openHomeserver, type HomeserverOptions } from '../../src/server/open.js';
import { parseHandlerRule } from '../../src/subsystems/table.js';

export const SERVER = parseServerName('hs.test');
export const SERVER_USER = '@:hs.test';

/** DNS that knows nobody, so that no test looks for other servers outside. */
const NO_DNS: Resolver = {
  addresses: async () => [],
  srv: async () => [],
  isAlias: async () => false,
};

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  // the tests read answers of many shapes, and assert on what they read
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any;
}

export interface Request {
  readonly token?: string | undefined;
  /** An object, or text or bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export type TestServer = Awaited<ReturnType<typeof openTestServer>>;

/** Opens a server called `hs.test` with `alice` and `bob`, which is closed when the test ends. */
export async function openTestServer(options: HomeserverOptions & { on?: readonly string[] } = {}) {
  const log: LogEntry[] = [];
  const bugs: unknown[] = [];
  const opened = await openHomeserver('hs.test:80', {
    serverName: SERVER,
    onEvent: (entry) => log.push(entry),
    onFault: (error) => bugs.push(error),
    ...options,
    federation: { resolver: NO_DNS, ...options.federation },
    handlers: [...(options.handlers ?? []), ...(options.on ?? []).map(parseHandlerRule)],
  });
  onTestFinished(() => opened.close());

  const { waiters } = opened.home;
  const enter = waiters.enter.bind(waiters);
  let onHeld: () => void = () => undefined;
  waiters.enter = (device) => {
    onHeld();
    return enter(device);
  };

  async function call(method: string, url: string, request: Request = {}): Promise<Reply> {
    const { token, body, headers = {} } = request;
    const payload =
      body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const response = await opened.app.inject({
      method: method as 'GET',
      url: url.startsWith('/_matrix') || url.startsWith('/.') ? url : `/_matrix/client${url}`,
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(payload === undefined ? {} : { payload }),
    });
    if (bugs.length > 0) throw bugs[0];
    const isJson = /^application\/json\b/.test(String(response.headers['content-type']));
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      json: isJson && response.body !== '' ? JSON.parse(response.body) : undefined,
    };
  }

  const [alice, bob] = opened.users as [FirstUser, FirstUser];
  let transaction = 0;
  return {
    ...opened,
    alice,
    bob,
    log,
    call,
    /** `POST /login` with a first user's password, and more fields. */
    async logIn(user: FirstUser, fields: Record<string, unknown> = {}): Promise<Reply> {
      const identifier = { type: 'm.id.user', user: user.userId };
      const body = { type: 'm.login.password', identifier, password: user.password, ...fields };
      return call('POST', '/v3/login', { body });
    },
    /** Resolves when the server begins to hold a long poll. */
    holding: () => new Promise<void>((resolve) => (onHeld = resolve)),
    /** Sends as a user, with a fresh transaction ID, and waits until handlers and answers are done. */
    async send(from: { accessToken: string }, type: string, messages: unknown): Promise<Reply> {
      transaction += 1;
      const url = `/v3/sendToDevice/${encodeURIComponent(type)}/${transaction}`;
      const reply = await call('PUT', url, { token: from.accessToken, body: { messages } });
      await opened.home.delivery.settled();
      return reply;
    },
    /** One `/sync`. */
    async sync(user: { accessToken: string }, query = ''): Promise<Reply> {
      return call('GET', `/v3/sync?${query}`, { token: user.accessToken });
    },
    /** The events that wait for a user, as a first sync shows them. */
    async waiting(user: { accessToken: string }): Promise<unknown[]> {
      const reply = await call('GET', '/v3/sync', { token: user.accessToken });
      return reply.json.to_device?.events ?? [];
    },
  };
}
