/** MSC4246 on the embedded homeserver, requirement by requirement (docs/requirements.md), as its clients see it. */
import { describe, expect, it, vi } from 'vitest';
import type { Handler } from '../../src/subsystems/handler.js';
import { parseRecipient } from '../../src/todevice/message.js';
import { openTestServer, SERVER_USER, type TestServer } from './kit.js';

const TYPE = 'org.example.whatever';

/** A server on which every message of the type goes to `handle`. */
async function serverWith(handle: Handler, options = {}): Promise<TestServer> {
  return openTestServer({ handlers: [{ glob: '*', handler: handle }], ...options });
}

/** A handler that remembers what it got. */
function recorder() {
  const contents: string[] = [];
  const handle: Handler = async ({ content }) => {
    contents.push(content);
    return undefined;
  };
  return { contents, handle };
}

describe("the sender's homeserver", () => {
  it.each([SERVER_USER, '@:other.test', '@:[::1]:8448'])('R-9: accepts a message to %s', async (user) => {
    const server = await openTestServer();
    const reply = await server.send(server.alice, TYPE, { [user]: { '': { a: 1 } } });
    expect(reply).toMatchObject({ status: 200, text: '{}' });
    const waiting = await server.home.store.outbox.destinations();
    expect(waiting).toEqual(user === SERVER_USER ? [] : [user.slice('@:'.length)]);
  });

  it('R-10: makes "*" at itself the device "", without looking for devices', async () => {
    const { contents, handle } = recorder();
    const server = await serverWith(handle);
    const devices = vi.spyOn(server.home.store, 'devices');
    await server.send(server.alice, TYPE, { [SERVER_USER]: { '*': { a: 1 } } });
    expect(contents).toEqual(['{"a":1}']);
    expect(devices).not.toHaveBeenCalled();
  });

  it('R-11: keeps no device list for a server user', async () => {
    const server = await openTestServer();
    const body = { device_keys: { [SERVER_USER]: [], '@:other.test': ['', 'DEV'] } };
    const reply = await server.call('POST', '/v3/keys/query', { token: server.alice.accessToken, body });
    expect(reply.json).toEqual({ device_keys: { [SERVER_USER]: {}, '@:other.test': {} }, failures: {} });
  });

  it('R-12: dispatches once when "*" and "" are both there, and "" wins', async () => {
    const { contents, handle } = recorder();
    const server = await serverWith(handle);
    await server.send(server.alice, TYPE, { [SERVER_USER]: { '*': { star: 1 }, '': { empty: 1 } } });
    expect(contents).toEqual(['{"empty":1}']);
  });

  it('R-13: drops any other device of the server', async () => {
    const { contents, handle } = recorder();
    const server = await serverWith(handle);
    const reply = await server.send(server.alice, TYPE, { [SERVER_USER]: { DEV: {}, __proto__x: {} } });
    expect(reply.status).toBe(200);
    expect(contents).toEqual([]);
    expect(server.log.map(({ device, outcome }) => [device, outcome])).toEqual([
      ['DEV', 'dropped'],
      ['__proto__x', 'dropped'],
    ]);
  });

  it('R-13: drops the device "" of a user, and delivers what stands beside it', async () => {
    const server = await openTestServer();
    const { bob } = server;
    const reply = await server.send(server.alice, TYPE, { [bob.userId]: { '': { no: 1 }, '*': { yes: 1 } } });
    expect(reply.status).toBe(200);
    expect(await server.waiting(bob)).toMatchObject([{ content: { yes: 1 } }]);
  });

  it('R-15: dispatches once for one transaction ID and path, also after the token was refreshed', async () => {
    const { contents, handle } = recorder();
    const server = await serverWith(handle);
    const put = (token: string, path: string) =>
      server.call('PUT', path, { token, body: { messages: { [SERVER_USER]: { '': {} } } } });
    const login = await server.logIn(server.alice, { refresh_token: true });
    const { access_token, refresh_token } = login.json;

    const first = await put(access_token, `/v3/sendToDevice/${TYPE}/txn`);
    const again = await put(access_token, `/v3/sendToDevice/${TYPE}/txn`);
    const refreshed = await server.call('POST', '/v3/refresh', { body: { refresh_token } });
    const later = await put(refreshed.json.access_token, `/v3/sendToDevice/${TYPE}/txn`);
    await server.home.delivery.settled();

    expect([first, again, later].map(({ status, text }) => [status, text])).toEqual(
      Array(3).fill([200, '{}']),
    );
    expect(contents).toHaveLength(1);
    expect(server.log.map(({ outcome }) => outcome).sort()).toEqual(['duplicate', 'duplicate', 'handled']);

    await put(refreshed.json.access_token, `/v3/sendToDevice/${TYPE}.other/txn`); // another path
    await put(server.alice.accessToken, `/v3/sendToDevice/${TYPE}/txn`); // another device
    await server.home.delivery.settled();
    expect(contents).toHaveLength(3);
  });

  it('R-15: delivers once to users, too', async () => {
    const server = await openTestServer();
    const { alice, bob } = server;
    const body = { messages: { [bob.userId]: { '*': {} } } };
    for (let repeat = 0; repeat < 3; repeat += 1) {
      await server.call('PUT', `/v3/sendToDevice/${TYPE}/txn`, { token: alice.accessToken, body });
    }
    expect(await server.waiting(bob)).toHaveLength(1);
  });
});

describe('the receiving homeserver', () => {
  it('R-19: discards an unknown type, with no error and no trace of its content', async () => {
    const server = await openTestServer();
    const reply = await server.send(server.alice, 'org.example.unknown', {
      [SERVER_USER]: { '': { secret: 'x' } },
    });
    expect(reply).toMatchObject({ status: 200, text: '{}' });
    expect(server.log).toEqual([
      {
        direction: 'in',
        sender: server.alice.userId,
        to: SERVER_USER,
        device: '',
        type: 'org.example.unknown',
        via: 'client',
        outcome: 'dropped',
      },
    ]);
    expect(await server.home.store.newestPosition()).toBe(0);
  });
});

describe('the reserved identity', () => {
  it.each([{ allowRegistration: true }, { allowRegistration: false }])(
    'R-20: cannot be registered, %o',
    async (options) => {
      const server = await openTestServer(options);
      const auth = { type: 'm.login.dummy' };
      const bodies = [
        { username: '', password: 'secret', auth },
        { username: '' },
        { username: SERVER_USER, password: 'secret', auth },
        { type: 'm.login.application_service', username: '' },
      ];
      for (const body of bodies) {
        const reply = await server.call('POST', '/v3/register', { body });
        expect([reply.status, reply.json.errcode]).toEqual([400, 'M_INVALID_USERNAME']);
      }
      const available = await server.call('GET', '/v3/register/available?username=');
      expect([available.status, available.json.errcode]).toEqual([400, 'M_INVALID_USERNAME']);
    },
  );

  it('R-20: is not among the first users either', async () => {
    await expect(openTestServer({ users: [{ name: '' }] })).rejects.toThrow('the localpart is empty');
  });

  it.each([
    { type: 'm.login.password', identifier: { type: 'm.id.user', user: SERVER_USER }, password: 'x' },
    { type: 'm.login.password', identifier: { type: 'm.id.user', user: '' }, password: 'x' },
    { type: 'm.login.password', user: SERVER_USER, password: 'x' },
    { type: 'm.login.application_service', identifier: { type: 'm.id.user', user: SERVER_USER } },
  ])('R-22: cannot be logged in to with %o', async (body) => {
    const server = await openTestServer();
    const reply = await server.call('POST', '/v3/login', { body });
    expect([reply.status, reply.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
  });

  it('R-22: cannot be acted as', async () => {
    const server = await openTestServer();
    const query = `user_id=${encodeURIComponent(SERVER_USER)}`;
    const token = server.alice.accessToken;
    const whoami = await server.call('GET', `/v3/account/whoami?${query}`, { token });
    const send = await server.call('PUT', `/v3/sendToDevice/${TYPE}/1?${query}`, {
      token,
      body: { messages: {} },
    });
    expect([whoami.status, whoami.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    expect([send.status, send.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
  });

  it.each(['', '/displayname'])('R-23: has no profile%s', async (field) => {
    const server = await openTestServer();
    const reply = await server.call('GET', `/v3/profile/${encodeURIComponent(SERVER_USER)}${field}`);
    expect([reply.status, reply.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
  });

  it.each([
    ['PUT', '/_matrix/federation/v1/invite/!r:other.test/$e'],
    ['PUT', '/_matrix/federation/v2/invite/!r:other.test/$e'],
    ['GET', '/_matrix/federation/v1/make_join/!r:other.test/@:hs.test'],
    ['POST', '/v3/rooms/!r:hs.test/invite'],
    ['GET', `/v3/presence/${encodeURIComponent(SERVER_USER)}/status`],
  ])('R-23: is invited to no room and has no presence: %s %s', async (method, path) => {
    const server = await openTestServer();
    const body = method === 'GET' ? undefined : { user_id: SERVER_USER };
    const reply = await server.call(method, path, { token: server.alice.accessToken, body });
    expect(reply.status).toBe(404);
  });

  it('R-24: shares its device ID with nobody: "" at login means a new device', async () => {
    const server = await openTestServer({ allowRegistration: true });
    const login = await server.logIn(server.alice, { device_id: '' });
    const register = await server.call('POST', '/v3/register', {
      body: { username: 'carol', auth: { type: 'm.login.dummy' }, device_id: '' },
    });
    const made = await server.call('PUT', '/v3/devices/', { token: server.alice.accessToken, body: {} });
    expect(login.json.device_id).toMatch(/^[A-Z]{10}$/);
    expect(register.json.device_id).toMatch(/^[A-Z]{10}$/);
    expect(made.status).toBe(404);
  });
});

describe('from server to user', () => {
  it('R-25: an event has the server user as its sender, type and content, and no more', async () => {
    const server = await openTestServer({ on: ['*=echo'] });
    await server.send(server.alice, TYPE, { [SERVER_USER]: { '': { example_content: 'value' } } });
    expect(await server.waiting(server.alice)).toEqual([
      { sender: SERVER_USER, type: TYPE, content: { example_content: 'value' } },
    ]);
  });

  it.each(['/unstable/org.matrix.simplified_msc3575/sync', '/v4/sync'])(
    'R-26: the same event comes through sliding sync at %s, whose since acknowledges it',
    async (path) => {
      const server = await openTestServer({ on: ['*=echo'] });
      await server.send(server.alice, TYPE, { [SERVER_USER]: { '': { example_content: 'value' } } });
      const sync = async (since?: string) => {
        const body = { extensions: { to_device: { enabled: true, since } } };
        const reply = await server.call('POST', path, { token: server.alice.accessToken, body });
        return reply.json.extensions.to_device;
      };
      const event = { sender: SERVER_USER, type: TYPE, content: { example_content: 'value' } };

      const first = await sync();
      expect(first.events).toEqual([event]);
      expect((await sync()).events).toEqual([event]); // not acknowledged yet
      expect((await sync(first.next_batch)).events).toEqual([]);
      expect((await sync()).events).toEqual([]);
    },
  );

  it('R-29: what the server sends is kept until acknowledged, in order, at most 100 a batch', async () => {
    const server = await openTestServer({ on: ['*=echo'] });
    for (let n = 1; n <= 101; n += 1) {
      await server.send(server.alice, TYPE, { [SERVER_USER]: { '': { n } } });
    }
    const numbers = (reply: { json: { to_device?: { events: { content: { n: number } }[] } } }) =>
      reply.json.to_device?.events.map(({ content }) => content.n);
    const first = await server.sync(server.alice);
    expect(numbers(first)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(numbers(await server.sync(server.alice))).toEqual(numbers(first));
    const second = await server.sync(server.alice, `since=${first.json.next_batch}`);
    expect(numbers(second)).toEqual([101]);
    expect(numbers(await server.sync(server.alice))).toEqual([101]);
    expect(numbers(await server.sync(server.alice, `since=${second.json.next_batch}`))).toBeUndefined();
    expect(numbers(await server.sync(server.alice))).toBeUndefined();
  });

  it('R-29: what the server sends goes with the device', async () => {
    const server = await openTestServer({ on: ['*=echo'] });
    const { alice } = server;
    await server.send(alice, TYPE, { [SERVER_USER]: { '': {} } });
    await server.call('POST', '/v3/logout', { token: alice.accessToken });
    const login = await server.logIn(alice, { device_id: alice.deviceId });
    expect(login.json.device_id).toBe(alice.deviceId);
    expect(await server.waiting({ accessToken: login.json.access_token })).toEqual([]);
  });

  it('R-30: no field of a request makes a user the server', async () => {
    const server = await openTestServer();
    const { alice, bob } = server;
    const body = {
      sender: SERVER_USER,
      user_id: SERVER_USER,
      messages: { [bob.userId]: { '*': { sender: SERVER_USER } } },
    };
    await server.call('PUT', `/v3/sendToDevice/${TYPE}/1?sender=${SERVER_USER}`, {
      token: alice.accessToken,
      body,
    });
    expect(await server.waiting(bob)).toEqual([
      { sender: alice.userId, type: TYPE, content: { sender: SERVER_USER } },
    ]);
  });
});

describe('the subsystem', () => {
  it('R-31: a message to the server is never stored', async () => {
    const { handle } = recorder();
    const server = await serverWith(handle);
    const deliver = vi.spyOn(server.home.store, 'deliver');
    await server.send(server.alice, TYPE, { [SERVER_USER]: { '': { secret: 1 } } });
    expect(deliver.mock.calls.map(([{ messages }]) => messages)).toEqual([[]]);
    expect(await server.home.store.newestPosition()).toBe(0);
    expect(await server.waiting(server.alice)).toEqual([]);
    expect(await server.waiting(server.bob)).toEqual([]);
  });

  it('R-32: the handler of the type is called before the sender is answered', async () => {
    const order: string[] = [];
    const server = await serverWith(async ({ type }) => {
      order.push(`handler of ${type}`);
      return undefined;
    });
    const body = { messages: { [SERVER_USER]: { '': {} } } };
    await server.call('PUT', `/v3/sendToDevice/${TYPE}/1`, { token: server.alice.accessToken, body });
    order.push('answer');
    expect(order).toEqual([`handler of ${TYPE}`, 'answer']);
  });

  it('R-33: a handler that fails or hangs spoils neither the answer nor other messages', async () => {
    const failures: string[] = [];
    const server = await openTestServer({
      handlers: [
        { glob: 'fails', handler: () => Promise.reject(new Error('broken')) },
        { glob: 'hangs', handler: () => new Promise(() => undefined) },
      ],
      on: ['works=echo'],
      onHandlerFailure: (type, reason) => failures.push(`${type}: ${reason}`),
    });
    const statuses: number[] = [];
    for (const type of ['fails', 'hangs', 'works']) {
      const body = { messages: { [SERVER_USER]: { '': {} } } };
      const token = server.alice.accessToken;
      statuses.push((await server.call('PUT', `/v3/sendToDevice/${type}/1`, { token, body })).status);
    }
    await vi.waitFor(async () => expect(await server.waiting(server.alice)).toHaveLength(1));
    expect(statuses).toEqual([200, 200, 200]);
    expect(failures).toEqual(['fails: broken']);
  });

  it('R-33: what is beyond the handlers that may run is dropped and told', async () => {
    const server = await serverWith(() => new Promise(() => undefined), { handlerConcurrency: 2 });
    const body = { messages: { [SERVER_USER]: { '': {} } } };
    for (let txn = 0; txn < 3; txn += 1) {
      const token = server.alice.accessToken;
      const reply = await server.call('PUT', `/v3/sendToDevice/${TYPE}/${txn}`, { token, body });
      expect(reply.status).toBe(200);
    }
    expect(server.log.map(({ outcome }) => outcome)).toEqual(['overflow']);
  });

  it('R-34: each sender has a rate limit of its own', async () => {
    const { contents, handle } = recorder();
    const server = await serverWith(handle, { rateLimitPerSecond: 2 });
    const { alice, bob } = server;
    const send = (user: typeof alice) => server.send(user, TYPE, { [SERVER_USER]: { '': {} } });
    await send(alice);
    await send(alice);
    const limited = await send(alice);
    expect([limited.status, limited.json.errcode]).toEqual([429, 'M_LIMIT_EXCEEDED']);
    expect(limited.headers['retry-after']).toBe('1');
    expect(limited.json.retry_after_ms).toBeGreaterThan(0);
    expect(limited.json.retry_after_ms).toBeLessThanOrEqual(500);
    expect((await send(bob)).status).toBe(200);
    expect(server.log.at(-2)).toMatchObject({ sender: alice.userId, outcome: 'limited' });
    expect(contents).toHaveLength(3);
    expect((await server.send(alice, TYPE, { [bob.userId]: { '*': {} } })).status).toBe(200);
  });

  it('R-15 R-34: a repeat of what was accepted costs nothing, and hears so again', async () => {
    const { contents, handle } = recorder();
    const server = await serverWith(handle, { rateLimitPerSecond: 1 });
    const messages = { messages: { [SERVER_USER]: { '': {} } } };
    const put = (txnId: string) =>
      server.call('PUT', `/v3/sendToDevice/${TYPE}/${txnId}`, {
        token: server.alice.accessToken,
        body: messages,
      });
    expect((await put('1')).status).toBe(200);
    expect((await put('1')).status).toBe(200);
    expect(server.log.at(-1)).toMatchObject({ outcome: 'duplicate' });
    expect((await put('2')).status).toBe(429);
    expect(contents).toHaveLength(1);
  });

  it('R-35: a handler is told sender, type, content, and the device of a local sender', async () => {
    const seen: unknown[] = [];
    const server = await serverWith(async (message) => {
      seen.push(message);
      return undefined;
    });
    const { alice } = server;
    await server.send(alice, TYPE, { [SERVER_USER]: { '': { a: 1 } } });
    expect(seen).toEqual([
      { sender: alice.userId, deviceId: alice.deviceId, type: TYPE, content: '{"a":1}', via: 'client' },
    ]);
  });

  it('R-35: the answer goes to the device that sent, not to the one that the content names', async () => {
    const server = await openTestServer({ on: ['*=echo'] });
    const { alice } = server;
    const other = await server.logIn(alice);
    await server.send(alice, TYPE, { [SERVER_USER]: { '': { device_id: other.json.device_id } } });
    expect(await server.waiting(alice)).toHaveLength(1);
    expect(await server.waiting({ accessToken: other.json.access_token })).toEqual([]);
  });

  it('the answers go to whom the handler names, sent by the server, and to no server (R-36)', async () => {
    const users = ['@alice:hs.test', '@bob:hs.test', '@nobody:hs.test', SERVER_USER, '@:other.test'];
    const server = await serverWith(async ({ type, content }) =>
      users.map((user) => ({ type, content, recipient: parseRecipient(user, '*') })),
    );
    const { alice, bob } = server;
    await server.send(alice, TYPE, { [SERVER_USER]: { '': { n: 1 } } });
    for (const user of [alice, bob]) {
      expect(await server.waiting(user)).toEqual([{ sender: SERVER_USER, type: TYPE, content: { n: 1 } }]);
    }
    expect(await server.home.store.outbox.destinations()).toEqual([]);
    expect(server.log.map(({ direction, to, device }) => [direction, to, device])).toEqual([
      ['in', SERVER_USER, ''],
      ...users.slice(0, 3).map((user) => ['out', user, '*']),
    ]);
  });

  it('R-37: has no guests to hear from, and a handler can refuse whom it likes', async () => {
    const failures: string[] = [];
    const server = await serverWith(
      async ({ sender }) => {
        if (sender.startsWith('@alice:')) throw new Error('not for alice');
        return undefined;
      },
      { allowRegistration: true, onHandlerFailure: (_type: string, reason: string) => failures.push(reason) },
    );
    const guest = await server.call('POST', '/v3/register?kind=guest', { body: {} });
    expect([guest.status, guest.json.errcode]).toEqual([403, 'M_GUEST_ACCESS_FORBIDDEN']);
    for (const user of [server.alice, server.bob]) {
      expect((await server.send(user, TYPE, { [SERVER_USER]: { '': {} } })).status).toBe(200);
    }
    expect(failures).toEqual(['not for alice']);
    expect(server.log.map(({ outcome }) => outcome)).toEqual(['failed', 'handled']);
  });
});
