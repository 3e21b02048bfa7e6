import { describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../../kit.js';

const UNSTABLE = '/unstable/org.matrix.simplified_msc3575/sync';
const TO_DEVICE = { to_device: { enabled: true } };

function post(server: TestServer, body: unknown, query = '', path = UNSTABLE) {
  return server.call('POST', `${path}?${query}`, { token: server.alice.accessToken, body });
}

describe('sliding sync', () => {
  it('answers what clients ask without rooms', async () => {
    const server = await openTestServer();
    const body = {
      conn_id: 'main',
      lists: { all: { ranges: [[0, 19]], required_state: [], timeline_limit: 1 } },
      extensions: { ...TO_DEVICE, e2ee: { enabled: true }, account_data: { enabled: true } },
    };
    const reply = await post(server, body, 'timeout=30000');
    expect(reply.json).toEqual({
      pos: expect.any(String),
      lists: { all: { count: 0 } },
      rooms: {},
      extensions: { to_device: { next_batch: 't0', events: [] }, e2ee: {} },
    });
  });

  it('tells of one-time keys', async () => {
    const server = await openTestServer();
    const one_time_keys = { 'signed_curve25519:A': {} };
    await server.call('POST', '/v3/keys/upload', {
      token: server.alice.accessToken,
      body: { one_time_keys },
    });
    const reply = await post(server, { extensions: { e2ee: { enabled: true } } });
    expect(reply.json.extensions).toEqual({ e2ee: { device_one_time_keys_count: { signed_curve25519: 1 } } });
  });

  it.each([
    {},
    { extensions: {} },
    { extensions: { to_device: { enabled: false } } },
    { extensions: { to_device: {} } },
  ])('leaves the extension out unless it is enabled: %o', async (body) => {
    const server = await openTestServer();
    expect((await post(server, body)).json.extensions).toEqual({});
  });

  it.each(['to_device', 'org.matrix.msc4538.to_device'])('answers under the name %s', async (name) => {
    const server = await openTestServer();
    const reply = await post(server, { extensions: { [name]: { enabled: true } } }, '', '/v4/sync');
    expect(Object.keys(reply.json.extensions)).toEqual([name]);
  });

  it('gives at most as many as asked for, and never more than 100', async () => {
    const server = await openTestServer();
    for (let n = 0; n < 101; n += 1)
      await server.send(server.bob, 't', { [server.alice.userId]: { '*': { n } } });
    const count = async (limit: number | undefined) => {
      const reply = await post(server, { extensions: { to_device: { enabled: true, limit } } });
      return reply.json.extensions.to_device.events.length as number;
    };
    expect([await count(3), await count(undefined), await count(1000)]).toEqual([3, 100, 100]);
  });

  it('waits for an event, from the second request on', async () => {
    const server = await openTestServer();
    const first = await post(server, { extensions: TO_DEVICE }, 'timeout=300000');
    const answer = post(server, { extensions: TO_DEVICE }, `pos=${first.json.pos}&timeout=300000`);
    await server.holding();
    await server.send(server.bob, 't', { [server.alice.userId]: { '*': {} } });
    expect((await answer).json.extensions.to_device.events).toHaveLength(1);
  });

  it('waits as long without the extension', async () => {
    const server = await openTestServer();
    const first = await post(server, {});
    const answer = post(server, {}, `pos=${first.json.pos}&timeout=300000`);
    await server.holding();
    server.home.waiters.close();
    expect((await answer).status).toBe(200);
  });

  it('has pos and timeout in the body of the stable endpoint', async () => {
    const server = await openTestServer();
    const first = await post(server, { extensions: TO_DEVICE, timeout: 300_000 }, '', '/v4/sync');
    const body = { extensions: TO_DEVICE, pos: first.json.pos, timeout: 300_000 };
    const answer = post(server, body, '', '/v4/sync');
    await server.holding();
    await server.send(server.bob, 't', { [server.alice.userId]: { '*': {} } });
    expect((await answer).json.extensions.to_device.events).toHaveLength(1);
  });

  it('takes the last pos, and the one before it, whose answer may have been lost', async () => {
    const server = await openTestServer();
    const next = async (pos: string, conn_id = 'a') => (await post(server, { conn_id }, `pos=${pos}`)).json;
    const { pos: first } = (await post(server, { conn_id: 'a' })).json;
    const { pos: second } = await next(first);
    const { pos: again } = await next(first);
    expect((await next(second)).errcode).toBe('M_UNKNOWN_POS');
    const { pos: third } = await next(again);
    expect((await next(first)).errcode).toBe('M_UNKNOWN_POS');
    expect((await next(third, 'b')).errcode).toBe('M_UNKNOWN_POS');
    expect((await post(server, {}, 'pos=nonsense')).status).toBe(400);
  });

  it('acknowledges by since, whatever pos is', async () => {
    const server = await openTestServer();
    await server.send(server.bob, 't', { [server.alice.userId]: { '*': {} } });
    const first = await post(server, { extensions: TO_DEVICE });
    const second = await post(server, { extensions: TO_DEVICE }, `pos=${first.json.pos}`);
    expect(second.json.extensions.to_device.events).toHaveLength(1);
    const { next_batch: since } = second.json.extensions.to_device;
    await post(server, { extensions: { to_device: { enabled: true, since } } });
    expect(await server.waiting(server.alice)).toEqual([]);
  });

  it.each([
    [{ extensions: { to_device: { enabled: true, limit: 0 } } }, '', 'M_INVALID_PARAM'],
    [{ extensions: { to_device: { enabled: true, limit: -1 } } }, '', 'M_INVALID_PARAM'],
    [{ extensions: { to_device: { enabled: true, limit: 1.5 } } }, '', 'M_INVALID_PARAM'],
    [{ extensions: { to_device: { enabled: true, limit: '5' } } }, '', 'M_BAD_JSON'],
    [{ extensions: { to_device: { enabled: true, since: 'abc' } } }, '', 'M_INVALID_PARAM'],
    [{ extensions: { to_device: { enabled: true, since: 't9' } } }, '', 'M_INVALID_PARAM'],
    [{ extensions: { to_device: { enabled: true, since: 1 } } }, '', 'M_BAD_JSON'],
    [{ extensions: { to_device: { enabled: 1 } } }, '', 'M_BAD_JSON'],
    [{ extensions: [] }, '', 'M_BAD_JSON'],
    [{}, 'timeout=abc', 'M_INVALID_PARAM'],
    [{ timeout: 'abc' }, '', 'M_BAD_JSON'],
  ])('refuses %o ?%s', async (body, query, errcode) => {
    const server = await openTestServer();
    const reply = await post(server, body, query);
    expect([reply.status, reply.json.errcode]).toEqual([400, errcode]);
  });
});
