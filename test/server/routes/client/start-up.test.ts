import { describe, expect, it } from 'vitest';
import { openTestServer } from '../../kit.js';

describe('what clients ask for at start', () => {
  it.each([
    ['/v3/pushrules/', 200, { global: { override: [], content: [], room: [], sender: [], underride: [] } }],
    ['/v3/pushrules', 200, expect.objectContaining({ global: expect.anything() })],
    ['/r0/pushrules/', 200, expect.objectContaining({ global: expect.anything() })],
    ['/v3/joined_rooms', 200, { joined_rooms: [] }],
    [
      '/v3/capabilities',
      200,
      { capabilities: expect.objectContaining({ 'm.room_versions': expect.anything() }) },
    ],
    ['/v3/room_keys/version', 404, expect.objectContaining({ errcode: 'M_NOT_FOUND' })],
    [
      '/v3/user/@alice:hs.test/account_data/m.direct',
      404,
      expect.objectContaining({ errcode: 'M_NOT_FOUND' }),
    ],
    ['/v3/user/@bob:hs.test/account_data/m.direct', 403, expect.objectContaining({ errcode: 'M_FORBIDDEN' })],
    [
      '/unstable/org.matrix.msc4143/rtc/transports',
      404,
      expect.objectContaining({ errcode: 'M_UNRECOGNIZED' }),
    ],
    ['/v1/auth_metadata', 404, expect.objectContaining({ errcode: 'M_UNRECOGNIZED' })],
  ])('GET %s is %i', async (path, status, json) => {
    const server = await openTestServer();
    const reply = await server.call('GET', path, { token: server.alice.accessToken });
    expect([reply.status, reply.json]).toEqual([status, json]);
  });

  it.each(['/v3/pushrules/', '/v3/joined_rooms', '/v3/capabilities', '/v3/room_keys/version'])(
    'GET %s needs a token',
    async (path) => {
      const server = await openTestServer();
      expect((await server.call('GET', path)).json.errcode).toBe('M_MISSING_TOKEN');
    },
  );
});

describe('GET /versions', () => {
  it('needs no token, and offers sliding sync', async () => {
    const server = await openTestServer();
    const reply = await server.call('GET', '/versions');
    expect(reply.json.versions).toContain('v1.1');
    expect(reply.json.unstable_features['org.matrix.simplified_msc3575']).toBe(true);
  });
});

describe('GET /.well-known/matrix/client', () => {
  it.each([
    [{ host: 'my-container:8008' }, 'http://my-container:8008'],
    [{ host: '[::1]:8008' }, 'http://[::1]:8008'],
    [{ host: 'evil"/path' }, 'http://hs.test:80'],
  ])('names the address that the client came by: %o', async (headers, base_url) => {
    const server = await openTestServer();
    const reply = await server.call('GET', '/.well-known/matrix/client', { headers });
    expect(reply.json).toEqual({ 'm.homeserver': { base_url } });
  });
});

describe('GET /profile/{userId}', () => {
  it.each([
    ['@alice:hs.test', 200],
    ['@nobody:hs.test', 404],
    ['@alice:other.test', 404],
    ['alice', 404],
    ['@alice:hs.test/displayname', 404],
  ])('of %s is %i', async (path, status) => {
    const server = await openTestServer();
    expect((await server.call('GET', `/v3/profile/${path}`)).status).toBe(status);
  });
});
