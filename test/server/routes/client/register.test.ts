import { describe, expect, it } from 'vitest';
import { openTestServer } from '../../kit.js';

const auth = { type: 'm.login.dummy' };

describe('POST /register', () => {
  it('makes an account and logs it in', async () => {
    const server = await openTestServer({ allowRegistration: true });
    const wishes = { device_id: 'CAROLDEV', initial_device_display_name: 'hers', refresh_token: true };
    const body = { username: 'carol', password: 'secret', auth, ...wishes };
    const reply = await server.call('POST', '/v3/register', { body });
    expect(reply.json).toMatchObject({
      user_id: '@carol:hs.test',
      device_id: 'CAROLDEV',
      expires_in_ms: 300_000,
    });
    expect((await server.sync({ accessToken: reply.json.access_token })).status).toBe(200);
    const login = await server.call('POST', '/v3/login', {
      body: {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: 'carol' },
        password: 'secret',
      },
    });
    expect(login.status).toBe(200);
  });

  it('asks for the dummy stage', async () => {
    const server = await openTestServer({ allowRegistration: true });
    for (const body of [{ username: 'carol' }, { username: 'carol', auth: { type: 'm.login.recaptcha' } }]) {
      const reply = await server.call('POST', '/v3/register', { body });
      expect(reply.status).toBe(401);
      expect(reply.json).toMatchObject({ flows: [{ stages: ['m.login.dummy'] }], params: {} });
      expect(reply.json.session).toEqual(expect.any(String));
      expect(reply.json).not.toHaveProperty('errcode');
    }
  });

  it('makes a name up where none is given', async () => {
    const server = await openTestServer({ allowRegistration: true });
    const reply = await server.call('POST', '/v3/register', { body: { auth } });
    expect(reply.json.user_id).toMatch(/^@user-[0-9a-f]{16}:hs\.test$/);
  });

  it('can leave the login out', async () => {
    const server = await openTestServer({ allowRegistration: true });
    const reply = await server.call('POST', '/v3/register', {
      body: { username: 'carol', auth, inhibit_login: true },
    });
    expect(reply.json).toEqual({ user_id: '@carol:hs.test' });
    expect(await server.home.store.devices(reply.json.user_id)).toEqual([]);
  });

  it.each([
    ['a name that is taken', { username: 'alice', auth }, '', 400, 'M_USER_IN_USE'],
    ['upper case', { username: 'Carol', auth }, '', 400, 'M_INVALID_USERNAME'],
    ['a whole user ID', { username: '@carol:hs.test', auth }, '', 400, 'M_INVALID_USERNAME'],
    ['a name that is too long', { username: 'c'.repeat(250), auth }, '', 400, 'M_INVALID_USERNAME'],
    ['guests', {}, '?kind=guest', 403, 'M_GUEST_ACCESS_FORBIDDEN'],
    ['application services', { type: 'm.login.application_service', username: 'c' }, '', 403, 'M_FORBIDDEN'],
  ])('refuses %s', async (_what, body, query, status, errcode) => {
    const server = await openTestServer({ allowRegistration: true });
    const reply = await server.call('POST', `/v3/register${query}`, { body });
    expect([reply.status, reply.json.errcode]).toEqual([status, errcode]);
  });

  it('is off unless it was switched on', async () => {
    const server = await openTestServer();
    const reply = await server.call('POST', '/v3/register', { body: { username: 'carol', auth } });
    expect([reply.status, reply.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
  });
});

describe('GET /register/available', () => {
  it.each([
    ['username=carol', 200, undefined],
    ['username=alice', 400, 'M_USER_IN_USE'],
    ['username=Carol', 400, 'M_INVALID_USERNAME'],
    ['', 400, 'M_MISSING_PARAM'],
  ])('answers ?%s with %i', async (query, status, errcode) => {
    const server = await openTestServer({ allowRegistration: true });
    const reply = await server.call('GET', `/v3/register/available?${query}`);
    expect([reply.status, reply.json.errcode]).toEqual([status, errcode]);
    if (status === 200) expect(reply.json).toEqual({ available: true });
  });

  it('is off unless registration was switched on', async () => {
    const server = await openTestServer();
    expect((await server.call('GET', '/v3/register/available?username=carol')).status).toBe(403);
  });
});
