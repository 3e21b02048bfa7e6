import { describe, expect, it } from 'vitest';
import { openTestServer } from '../../kit.js';

describe('POST /account/deactivate', () => {
  it('ends the account and all its devices', async () => {
    const server = await openTestServer();
    const { alice } = server;
    const other = (await server.logIn(alice)).json.access_token as string;
    const reply = await server.call('POST', '/v3/account/deactivate', { token: other, body: {} });
    expect([reply.status, reply.json]).toEqual([200, { id_server_unbind_result: 'success' }]);
    for (const token of [alice.accessToken, other]) {
      expect((await server.call('GET', '/v3/account/whoami', { token })).json.errcode).toBe(
        'M_UNKNOWN_TOKEN',
      );
    }
    expect((await server.logIn(alice)).status).toBe(403);
  });

  it('leaves others alone, and wants a token', async () => {
    const server = await openTestServer();
    await server.call('POST', '/v3/account/deactivate', { token: server.alice.accessToken, body: {} });
    expect((await server.logIn(server.bob)).status).toBe(200);
    expect((await server.call('POST', '/v3/account/deactivate', { body: {} })).status).toBe(401);
  });

  it('ends a sync that waits', async () => {
    const server = await openTestServer();
    const { accessToken: token } = server.alice;
    const { next_batch } = (await server.call('GET', '/v3/sync', { token })).json;
    const held = server.holding();
    const waiting = server.call('GET', `/v3/sync?timeout=30000&since=${next_batch}`, { token });
    await held;
    await server.call('POST', '/v3/account/deactivate', { token, body: {} });
    expect((await waiting).status).toBe(200);
  });
});
