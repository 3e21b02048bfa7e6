import { describe, expect, it } from 'vitest';
import { openFederated, type FederatedOptions } from '../../federation-kit.js';
import { SERVER_USER } from '../../kit.js';

async function open(options: FederatedOptions = {}) {
  const federated = await openFederated(options);
  const devicesOf = (userId: string) => {
    const uri = `/_matrix/federation/v1/user/devices/${encodeURIComponent(userId)}`;
    return federated.request({ method: 'GET', uri });
  };
  return { ...federated, devicesOf };
}

describe('the devices of a user', () => {
  it('R-11: of the server user are not there', async () => {
    const { devicesOf } = await open();
    const reply = await devicesOf(SERVER_USER);
    expect([reply.status, reply.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
  });

  it.each(['@nobody:hs.test', '@alice:elsewhere.test', 'nonsense'])('of %s are not there', async (userId) => {
    const { devicesOf } = await open();
    expect((await devicesOf(userId)).status).toBe(404);
  });

  it('are those with keys', async () => {
    const { server, devicesOf } = await open();
    const { alice } = server;
    expect((await devicesOf(alice.userId)).json).toEqual({
      user_id: alice.userId,
      stream_id: 0,
      devices: [],
    });
    const keys = { user_id: alice.userId, device_id: alice.deviceId, algorithms: [], keys: {} };
    const token = alice.accessToken;
    await server.call('POST', '/v3/keys/upload', { token, body: { device_keys: keys } });
    const device = { device_id: alice.deviceId, keys };
    expect((await devicesOf(alice.userId)).json.devices).toEqual([device]);
    const body = { display_name: 'a name' };
    await server.call('PUT', `/v3/devices/${alice.deviceId}`, { token, body });
    expect((await devicesOf(alice.userId)).json.devices).toEqual([
      { ...device, device_display_name: 'a name' },
    ]);
  });

  it('are told to other servers only', async () => {
    const { server } = await open();
    const uri = `/_matrix/federation/v1/user/devices/${encodeURIComponent(server.alice.userId)}`;
    const reply = await server.call('GET', uri, { token: server.alice.accessToken });
    expect([reply.status, reply.json.errcode]).toEqual([401, 'M_UNAUTHORIZED']);
  });
});
