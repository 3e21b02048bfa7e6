import { describe, expect, it } from 'vitest';
import { openTestServer } from '../../kit.js';

describe('/devices', () => {
  it('lists and shows the devices of the caller', async () => {
    const server = await openTestServer();
    const { alice } = server;
    await server.logIn(alice, { device_id: 'two', initial_device_display_name: 'second' });
    const token = alice.accessToken;
    expect((await server.call('GET', '/v3/devices', { token })).json).toEqual({
      devices: [{ device_id: alice.deviceId }, { device_id: 'two', display_name: 'second' }],
    });
    expect((await server.call('GET', '/v3/devices/two', { token })).json).toEqual({
      device_id: 'two',
      display_name: 'second',
    });
  });

  it('renames a device', async () => {
    const server = await openTestServer();
    const { alice } = server;
    const token = alice.accessToken;
    const url = `/v3/devices/${alice.deviceId}`;
    expect((await server.call('PUT', url, { token, body: { display_name: 'new' } })).text).toBe('{}');
    expect((await server.call('GET', url, { token })).json.display_name).toBe('new');
  });

  it('deletes a device with its token', async () => {
    const server = await openTestServer();
    const { alice } = server;
    const other = await server.logIn(alice, { device_id: 'two' });
    const token = alice.accessToken;
    expect((await server.call('DELETE', '/v3/devices/two', { token, body: {} })).text).toBe('{}');
    expect((await server.sync({ accessToken: other.json.access_token })).status).toBe(401);
  });

  it.each([
    ['GET', 'NOWHERE'],
    ['PUT', 'NOWHERE'],
    ['DELETE', 'NOWHERE'],
    ['GET', ''],
    ['PUT', ''],
    ['PUT', '*'],
  ])('%s of "%s" is 404', async (method, deviceId) => {
    const server = await openTestServer();
    const body = method === 'GET' ? undefined : {};
    const reply = await server.call(method, `/v3/devices/${deviceId}`, {
      token: server.alice.accessToken,
      body,
    });
    expect([reply.status, reply.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
  });

  it("shows nobody another's devices", async () => {
    const server = await openTestServer();
    const reply = await server.call('GET', `/v3/devices/${server.bob.deviceId}`, {
      token: server.alice.accessToken,
    });
    expect(reply.status).toBe(404);
  });
});
