import { describe, expect, it } from 'vitest';
import { openTestServer } from '../../kit.js';

describe('GET /sync', () => {
  it('answers a first sync at once, whatever the timeout', async () => {
    const server = await openTestServer();
    const reply = await server.sync(server.alice, 'timeout=300000');
    expect(reply.json).toEqual({ next_batch: 't0' });
  });

  it('answers a full_state sync at once', async () => {
    const server = await openTestServer();
    const reply = await server.sync(server.alice, 'since=t0&full_state=true&timeout=300000');
    expect(reply.json).toEqual({ next_batch: 't0' });
  });

  it('ignores what it does not know', async () => {
    const server = await openTestServer();
    const query = '_cacheBuster=1&use_state_after=true&set_presence=offline&full_state=false&x';
    expect((await server.sync(server.alice, query)).status).toBe(200);
  });

  it('gives nothing but type, sender and content, as they came', async () => {
    const server = await openTestServer();
    const { alice, bob } = server;
    const content = '{"big":123456789012345678901234567890,"f":1.50,"half":"\\ud800"}';
    const body = `{"messages":{"${bob.userId}":{"${bob.deviceId}":${content}}}}`;
    await server.call('PUT', '/v3/sendToDevice/t/1', { token: alice.accessToken, body });
    expect((await server.sync(bob)).text).toBe(
      `{"next_batch":"t1","to_device":{"events":[{"sender":"${alice.userId}","type":"t","content":${content}}]}}`,
    );
  });

  it('gives each device its own, and all of them what is for all', async () => {
    const server = await openTestServer();
    const { alice, bob } = server;
    const second = await server.logIn(bob, { device_id: '__proto__' });
    await server.send(alice, 't', { [bob.userId]: { '*': { all: 1 }, [bob.deviceId]: { first: 1 } } });
    await server.send(alice, 't', { [bob.userId]: { NOWHERE: { lost: 1 } }, '@nobody:hs.test': { '*': {} } });
    const contents = async (user: { accessToken: string }) =>
      (await server.waiting(user)).map((event) => (event as { content: unknown }).content);
    expect(await contents(bob)).toEqual([{ first: 1 }]);
    expect(await contents({ accessToken: second.json.access_token })).toEqual([{ all: 1 }]);
  });

  it('wakes up when something comes', async () => {
    const server = await openTestServer();
    const answer = server.sync(server.alice, 'since=t0&timeout=300000');
    await server.holding();
    await server.send(server.bob, 't', { [server.alice.userId]: { '*': { a: 1 } } });
    expect((await answer).json.to_device.events).toHaveLength(1);
  });

  it.each(['', '&timeout=0'])('answers at once without a timeout (%s)', async (timeout) => {
    const server = await openTestServer();
    expect((await server.sync(server.alice, `since=t0${timeout}`)).json).toEqual({ next_batch: 't0' });
  });

  it('answers when the time is up', async () => {
    const server = await openTestServer();
    expect((await server.sync(server.alice, 'since=t0&timeout=20')).json).toEqual({ next_batch: 't0' });
  });

  it('cuts a timeout that no timer can hold', async () => {
    const sleeps: number[] = [];
    const server = await openTestServer({
      clock: {
        now: () => Date.now(),
        monotonic: () => sleeps.length * 1e9,
        sleep: async (ms) => void sleeps.push(ms),
      },
    });
    await server.sync(server.alice, 'since=t0&timeout=99999999999999999999');
    expect(sleeps).toEqual([300_000]);
  });

  it('ends a long poll when the device is logged out', async () => {
    const server = await openTestServer();
    const answer = server.sync(server.alice, 'since=t0&timeout=300000');
    await server.holding();
    await server.call('POST', '/v3/logout', { token: server.alice.accessToken });
    expect((await answer).json).toEqual({ next_batch: 't0' });
    expect((await server.sync(server.alice)).json.errcode).toBe('M_UNKNOWN_TOKEN');
  });

  it.each([
    'since=',
    'since=abc',
    'since=t1x',
    'since=t-1',
    'since=t5',
    'since=0',
    'timeout=abc',
    'timeout=-1',
    'filter=7',
  ])('refuses %s', async (query) => {
    const server = await openTestServer();
    const reply = await server.sync(server.alice, query);
    expect([reply.status, reply.json.errcode]).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('takes a filter in place or by its ID', async () => {
    const server = await openTestServer();
    const { alice } = server;
    const inPlace = encodeURIComponent('{"room":{"timeline":{"limit":1}}}');
    expect((await server.sync(alice, `filter=${inPlace}`)).status).toBe(200);
    const url = `/v3/user/${alice.userId}/filter`;
    const added = await server.call('POST', url, { token: alice.accessToken, body: '{ "room": {} }' });
    expect((await server.sync(alice, `filter=${added.json.filter_id}`)).status).toBe(200);
    const broken = await server.sync(alice, `filter=${encodeURIComponent('{"room"')}`);
    expect([broken.status, broken.json.errcode]).toEqual([400, 'M_NOT_JSON']);
  });

  it('tells how many one-time keys are left to those that published some', async () => {
    const server = await openTestServer();
    const { alice } = server;
    const body = { one_time_keys: { 'signed_curve25519:A': {}, 'signed_curve25519:B': {} } };
    await server.call('POST', '/v3/keys/upload', { token: alice.accessToken, body });
    expect((await server.sync(alice)).json.device_one_time_keys_count).toEqual({ signed_curve25519: 2 });
    expect((await server.sync(server.bob)).json).not.toHaveProperty('device_one_time_keys_count');
  });
});
