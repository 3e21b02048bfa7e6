import { describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../../kit.js';

function upload(server: TestServer, body: unknown) {
  return server.call('POST', '/v3/keys/upload', { token: server.alice.accessToken, body });
}

function post(server: TestServer, path: string, body: unknown) {
  return server.call('POST', path, { token: server.bob.accessToken, body });
}

describe('/keys', () => {
  it('counts one-time keys after each upload', async () => {
    const server = await openTestServer();
    expect((await upload(server, {})).json).toEqual({ one_time_key_counts: { signed_curve25519: 0 } });
    const one_time_keys = { 'signed_curve25519:A': { key: 'a' }, 'curve25519:B': 'b' };
    expect((await upload(server, { one_time_keys })).json).toEqual({
      one_time_key_counts: { signed_curve25519: 1, curve25519: 1 },
    });
  });

  it('gives device keys as they were uploaded', async () => {
    const server = await openTestServer();
    const { alice } = server;
    const keys = `{"user_id":"${alice.userId}","device_id":"${alice.deviceId}","n":123456789012345678901}`;
    await upload(server, `{"device_keys":${keys}}`);
    const query = (devices: string[]) =>
      post(server, '/v3/keys/query', { device_keys: { [alice.userId]: devices, [server.bob.userId]: [] } });
    const all = `{"device_keys":{"${alice.userId}":{"${alice.deviceId}":${keys}},"${server.bob.userId}":{}},"failures":{}}`;
    expect((await query([])).text).toBe(all);
    expect((await query([alice.deviceId])).text).toBe(all);
    expect((await query(['OTHER'])).json.device_keys[alice.userId]).toEqual({});
  });

  it('names the servers that it cannot ask', async () => {
    const server = await openTestServer();
    const device_keys = { '@x:other.test': [], '@nobody:hs.test': [] };
    expect((await post(server, '/v3/keys/query', { device_keys })).json).toEqual({
      device_keys: { '@nobody:hs.test': {} },
      failures: { 'other.test': {} },
    });
  });

  it('gives each one-time key once, then the fallback key', async () => {
    const server = await openTestServer();
    const { alice } = server;
    await upload(server, {
      one_time_keys: { 'signed_curve25519:A': { key: 'a' } },
      fallback_keys: { 'signed_curve25519:F': { key: 'f', fallback: true } },
    });
    const one_time_keys = {
      [alice.userId]: { [alice.deviceId]: 'signed_curve25519', NOWHERE: 'signed_curve25519' },
      '@x:other.test': { D: 'signed_curve25519' },
    };
    const claim = async () => (await post(server, '/v3/keys/claim', { one_time_keys })).json;
    const answer = (keys: unknown) => ({
      one_time_keys: { [alice.userId]: { [alice.deviceId]: keys } },
      failures: { 'other.test': {} },
    });
    expect(await claim()).toEqual(answer({ 'signed_curve25519:A': { key: 'a' } }));
    expect(await claim()).toEqual(answer({ 'signed_curve25519:F': { key: 'f', fallback: true } }));
    expect(await claim()).toEqual(answer({ 'signed_curve25519:F': { key: 'f', fallback: true } }));
  });

  it('refuses keys for another device than the caller', async () => {
    const server = await openTestServer();
    for (const device_keys of [
      { user_id: server.bob.userId, device_id: server.bob.deviceId },
      { user_id: server.alice.userId, device_id: '' },
      {},
    ]) {
      const reply = await upload(server, { device_keys });
      expect([reply.status, reply.json.errcode]).toEqual([400, 'M_INVALID_PARAM']);
    }
  });

  it.each([
    ['/v3/keys/query', { device_keys: { alice: [] } }, 'M_INVALID_PARAM'],
    ['/v3/keys/query', { device_keys: [] }, 'M_BAD_JSON'],
    ['/v3/keys/claim', { one_time_keys: { '@alice:hs.test': [] } }, 'M_BAD_JSON'],
    ['/v3/keys/claim', { one_time_keys: { '@alice:hs.test': { D: 1 } } }, 'M_BAD_JSON'],
    ['/v3/keys/upload', { one_time_keys: [] }, 'M_BAD_JSON'],
  ])('%s refuses %o', async (path, body, errcode) => {
    const server = await openTestServer();
    const reply = await post(server, path, body);
    expect([reply.status, reply.json.errcode]).toEqual([400, errcode]);
  });
});
