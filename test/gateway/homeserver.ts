/**
 * A homeserver that knows one application service and its server user, and nothing else. It lets the application
 * service make that user and log it in, unless `isStrict`: then the user is there, and has a password.
 */
import type { ServerResponse } from 'node:http';
import { json, startLoopbackServer, type Asked } from '../http/loopback-server.js';

export interface Sent {
  readonly type: string;
  readonly txnId: string;
  readonly messages: unknown;
}

export interface StubEvent {
  readonly sender?: unknown;
  readonly type?: unknown;
  readonly content?: unknown;
}

/** What the stub says in place of an answer: it fails, or does its work and hangs up before it says so. */
export type Fault = { readonly status: number; readonly errcode?: string } | 'cut';

export class StubHomeserver {
  readonly serverName = 'example.org';
  readonly asToken = 'as-token';
  readonly password = 'the password of the server user';
  /** As Dendrite is. */
  isStrict = false;
  /** What was sent as the server user, each transaction once. */
  readonly sent: Sent[] = [];
  /** How often each step of a login was made. */
  registrations = 0;
  logins = 0;
  /** At most so many events come with one sync. */
  limit = 100;
  /** How many events were acknowledged. */
  acknowledged = 0;
  /** Requests to such a path fail while it is there, and are counted. */
  outage: RegExp | undefined;
  refused = 0;
  url = '';
  /** What the homeserver knows a transaction by: token and path. */
  readonly #transactions = new Set<string>();
  readonly #queue: StubEvent[] = [];
  readonly #tokens = new Set<string>();
  readonly #faults: { readonly path: RegExp; readonly fault: Fault }[] = [];
  #polls: (() => void)[] = [];
  #watchers: (() => void)[] = [];
  #isThere = false;

  static async start(): Promise<StubHomeserver> {
    const stub = new StubHomeserver();
    const { url } = await startLoopbackServer((asked, response) => stub.#respond(asked, response));
    stub.url = url;
    return stub;
  }

  /** Puts events into the queue of the server user. */
  push(...events: readonly StubEvent[]): void {
    this.#queue.push(...events);
    for (const poll of this.#polls.splice(0)) poll();
  }

  /** Fails the next requests to such a path, one each. */
  fail(path: RegExp, ...faults: readonly Fault[]): void {
    this.#faults.push(...faults.map((fault) => ({ path, fault })));
  }

  /** Forgets every session; the device stays. */
  revokeAll(): void {
    this.#tokens.clear();
    for (const poll of this.#polls.splice(0)) poll();
  }

  /** Resolves when `isSo` after something has happened. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  #respond(asked: Asked, response: ServerResponse): void {
    const url = new URL(asked.path, this.url);
    const index = this.#faults.findIndex(({ path }) => path.test(url.pathname));
    const fault = index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
    if (this.outage?.test(url.pathname) === true) {
      this.refused += 1;
      json(response, 502, { errcode: 'M_UNKNOWN', error: 'away' });
    } else if (fault !== undefined && fault !== 'cut') {
      json(response, fault.status, { errcode: fault.errcode ?? 'M_UNKNOWN', error: 'as told' });
    } else if (url.pathname.endsWith('/sync')) {
      this.#sync(asked, url, response);
    } else {
      const [status, body] = this.#answer(asked, url);
      if (fault === 'cut') response.destroy();
      else json(response, status, body);
    }
    for (const wake of this.#watchers.splice(0)) wake();
  }

  #answer(asked: Asked, url: URL): [number, unknown] {
    const path = url.pathname.replace('/_matrix/client/v3', '');
    const token = tokenOf(asked);
    if (path === '/login') return this.#login(asked);
    if (path === '/register' || path === '/account/whoami') {
      if (token !== this.asToken) return UNKNOWN_TOKEN;
      return path === '/register' ? this.#register() : this.#whoami(url);
    }
    if (!this.#tokens.has(token)) return UNKNOWN_TOKEN;
    const [, type = '', txnId = ''] = /^\/sendToDevice\/([^/]*)\/([^/]*)$/.exec(path) ?? [];
    if (!this.#transactions.has(`${token} ${path}`)) {
      this.#transactions.add(`${token} ${path}`);
      const { messages } = JSON.parse(asked.body) as { messages: unknown };
      this.sent.push({ type: decodeURIComponent(type), txnId, messages });
    }
    return [200, {}];
  }

  #register(): [number, unknown] {
    this.registrations += 1;
    if (this.#isThere) return [400, { errcode: 'M_USER_IN_USE', error: 'taken' }];
    this.#isThere = true;
    return [200, { user_id: `@:${this.serverName}` }];
  }

  #whoami(url: URL): [number, unknown] {
    if (this.isStrict) return [200, { user_id: 'another' }];
    if (!this.#isThere) return [403, { errcode: 'M_FORBIDDEN', error: 'nobody' }];
    return [200, { user_id: url.searchParams.get('user_id') }];
  }

  #login(asked: Asked): [number, unknown] {
    const { type, identifier, device_id, password } = JSON.parse(asked.body) as {
      type: string;
      identifier: { user: string };
      device_id: string;
      password?: string;
    };
    if (type === 'm.login.password') {
      if (!this.isStrict || password !== this.password) return [403, { errcode: 'M_FORBIDDEN', error: 'no' }];
    } else {
      if (tokenOf(asked) !== this.asToken) return UNKNOWN_TOKEN;
      if (this.isStrict) return [400, { errcode: 'M_INVALID_USERNAME', error: 'a-z only' }];
      if (!this.#isThere) return [403, { errcode: 'M_FORBIDDEN', error: 'nobody' }];
    }
    this.logins += 1;
    const token = `token-${String(this.logins)}`;
    this.#tokens.add(token);
    return [200, { user_id: identifier.user, device_id, access_token: token }];
  }

  #sync(asked: Asked, url: URL, response: ServerResponse): void {
    if (!this.#tokens.has(tokenOf(asked))) {
      json(response, ...UNKNOWN_TOKEN);
      return;
    }
    const since = url.searchParams.get('since');
    if (since !== null) this.acknowledged = Math.max(this.acknowledged, Number(since.slice(1)));
    const start = since === null ? this.acknowledged : Number(since.slice(1));
    const events = this.#queue.slice(start, start + this.limit);
    if (events.length === 0 && Number(url.searchParams.get('timeout')) > 0 && since !== null) {
      this.#polls.push(() => this.#sync(asked, url, response));
      return;
    }
    json(response, 200, { next_batch: `s${String(start + events.length)}`, to_device: { events } });
  }
}

const UNKNOWN_TOKEN: [number, unknown] = [
  401,
  { errcode: 'M_UNKNOWN_TOKEN', error: 'no', soft_logout: false },
];

function tokenOf({ headers }: Asked): string {
  return (headers.authorization ?? '').replace(/^Bearer /, '');
}
