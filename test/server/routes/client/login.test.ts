import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/clock.js';
import { openTestServer } from '../../kit.js';

describe('GET /login', () => {
  it.each(['v3', 'r0'])('offers passwords, at %s', async (version) => {
    const server = await openTestServer();
    const reply = await server.call('GET', `/${version}/login`);
    expect(reply.json).toEqual({ flows: [{ type: 'm.login.password' }] });
  });
});

describe('POST /login', () => {
  const users = [{ name: 'alice', password: 'chosen by a person' }];

  it.each(['alice', '@alice:hs.test'])('takes %s and a password that a person chose', async (user) => {
    const server = await openTestServer({ users });
    const body = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user },
      password: 'chosen by a person',
      initial_device_display_name: 'test',
    };
    const reply = await server.call('POST', '/v3/login', { body });
    expect(reply.status).toBe(200);
    expect(Object.keys(reply.json).sort()).toEqual(['access_token', 'device_id', 'user_id']);
    const token: string = reply.json.access_token;
    const whoami = await server.call('GET', '/v3/account/whoami', { token });
    const { device_id } = reply.json;
    expect(whoami.json).toEqual({ user_id: '@alice:hs.test', device_id, is_guest: false });
    const device = await server.call('GET', `/v3/devices/${device_id}`, { token });
    expect(device.json).toEqual({ device_id, display_name: 'test' });
  });

  it('takes the user where old clients put it', async () => {
    const server = await openTestServer();
    const body = { type: 'm.login.password', user: 'alice', password: server.alice.password };
    expect((await server.call('POST', '/r0/login', { body })).status).toBe(200);
  });

  it('keeps no password and no token as it is', async () => {
    const server = await openTestServer({ users });
    const account = await server.home.store.account(server.alice.userId);
    expect(account?.passwordHash).toMatch(/^scrypt\$16384\$8\$1\$[^$]+\$[^$]+$/);
    expect(await server.home.store.useAccessToken(server.alice.accessToken)).toBeUndefined();
  });

  it.each([
    ['a wrong password', { password: 'wrong' }, 403, 'M_FORBIDDEN'],
    ['an unknown user', { identifier: { type: 'm.id.user', user: 'nobody' } }, 403, 'M_FORBIDDEN'],
    [
      'a user of another server',
      { identifier: { type: 'm.id.user', user: '@alice:other.test' } },
      403,
      'M_FORBIDDEN',
    ],
    ['what is no user ID', { identifier: { type: 'm.id.user', user: '@alice' } }, 403, 'M_FORBIDDEN'],
    ['another login type', { type: 'm.login.token' }, 400, 'M_UNKNOWN'],
    ['another identifier', { identifier: { type: 'm.id.phone', user: 'alice' } }, 400, 'M_UNKNOWN'],
    ['no type', { type: undefined }, 400, 'M_MISSING_PARAM'],
    ['no identifier', { identifier: undefined }, 400, 'M_MISSING_PARAM'],
    ['no password', { password: undefined }, 400, 'M_MISSING_PARAM'],
    ['a password that is no string', { password: 1 }, 400, 'M_BAD_JSON'],
    ['a device ID that is no string', { device_id: 1 }, 400, 'M_BAD_JSON'],
    ['the device "*"', { device_id: '*' }, 400, 'M_INVALID_PARAM'],
    ['half a character for a device', { device_id: '\ud83d' }, 400, 'M_INVALID_PARAM'],
    ['a device ID of 513 characters', { device_id: 'D'.repeat(513) }, 400, 'M_INVALID_PARAM'],
  ])('refuses %s', async (_what, fields, status, errcode) => {
    const server = await openTestServer();
    const reply = await server.logIn(server.alice, fields);
    expect([reply.status, reply.json.errcode]).toEqual([status, errcode]);
  });

  it('ends the earlier tokens of a device that comes back, and keeps its queue', async () => {
    const server = await openTestServer();
    const { alice, bob } = server;
    await server.send(bob, 't', { [alice.userId]: { '*': {} } });
    const reply = await server.logIn(alice, { device_id: alice.deviceId });
    expect((await server.sync(alice)).json.errcode).toBe('M_UNKNOWN_TOKEN');
    expect(await server.waiting({ accessToken: reply.json.access_token })).toHaveLength(1);
  });
});

describe('POST /logout', () => {
  it.each(['', '{}'])('ends one device, with the body "%s"', async (body) => {
    const server = await openTestServer();
    const { alice } = server;
    const other = await server.logIn(alice);
    const reply = await server.call('POST', '/v3/logout', { token: alice.accessToken, body });
    expect(reply.text).toBe('{}');
    const whoami = await server.call('GET', '/v3/account/whoami', { token: alice.accessToken });
    expect([whoami.status, whoami.json.errcode, whoami.json.soft_logout]).toEqual([
      401,
      'M_UNKNOWN_TOKEN',
      false,
    ]);
    expect((await server.sync({ accessToken: other.json.access_token })).status).toBe(200);
  });

  it('ends all devices of an account at /logout/all', async () => {
    const server = await openTestServer();
    const { alice, bob } = server;
    const other = await server.logIn(alice);
    await server.call('POST', '/v3/logout/all', { token: alice.accessToken });
    expect((await server.sync(alice)).status).toBe(401);
    expect((await server.sync({ accessToken: other.json.access_token })).status).toBe(401);
    expect((await server.sync(bob)).status).toBe(200);
  });
});

describe('POST /refresh', () => {
  it('renews a token that expires softly', async () => {
    let nowMs = 1_700_000_000_000;
    const server = await openTestServer({ clock: { ...systemClock, now: () => nowMs } });
    const login = await server.logIn(server.alice, { refresh_token: true });
    expect(login.json.expires_in_ms).toBe(300_000);
    const whoami = (token: string) => server.call('GET', '/v3/account/whoami', { token });

    nowMs += 299_999;
    expect((await whoami(login.json.access_token)).status).toBe(200);
    nowMs += 1;
    const expired = await whoami(login.json.access_token);
    expect([expired.status, expired.json.errcode, expired.json.soft_logout]).toEqual([
      401,
      'M_UNKNOWN_TOKEN',
      true,
    ]);

    const body = { refresh_token: login.json.refresh_token };
    const renewed = await server.call('POST', '/v3/refresh', { body });
    expect(Object.keys(renewed.json).sort()).toEqual(['access_token', 'expires_in_ms', 'refresh_token']);
    expect((await whoami(renewed.json.access_token)).json.device_id).toBe(login.json.device_id);

    const spent = await server.call('POST', '/v3/refresh', { body });
    expect([spent.status, spent.json.errcode]).toEqual([401, 'M_UNKNOWN_TOKEN']);
  });

  it('gives tokens that never expire to those who cannot refresh', async () => {
    let nowMs = 0;
    const server = await openTestServer({ clock: { ...systemClock, now: () => nowMs } });
    nowMs = Number.MAX_SAFE_INTEGER;
    expect((await server.sync(server.alice)).status).toBe(200);
  });

  it.each([
    [{ refresh_token: 'nobodys' }, 401, 'M_UNKNOWN_TOKEN'],
    [{}, 400, 'M_MISSING_PARAM'],
    [{ refresh_token: 1 }, 400, 'M_BAD_JSON'],
  ])('refuses %o', async (body, status, errcode) => {
    const server = await openTestServer();
    const reply = await server.call('POST', '/v3/refresh', { body });
    expect([reply.status, reply.json.errcode]).toEqual([status, errcode]);
  });

  it('does not take an access token for a refresh token', async () => {
    const server = await openTestServer();
    const reply = await server.call('POST', '/v3/refresh', {
      body: { refresh_token: server.alice.accessToken },
    });
    expect(reply.status).toBe(401);
  });
});
