/** Two `mx2s serve` that talk to each other over TLS: the real program at both ends, and nothing else. */
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { objectsOf } from './kit/account.js';
import { receive, sendToDevice } from './kit/matrix.js';
import { INSECURE, ServeHost, VERIFYING, type Serve } from './kit/serve.js';

const ECHO = ['--on', 'org.example.*=echo'];
const ASK = ['-t', 'org.example.q', '-d', '{"n":1}'];

describe.each([
  ['that verify certificates', VERIFYING],
  ['that make their own certificates', INSECURE],
])('two mx2s serve %s', (_how, flags) => {
  let host: ServeHost;
  let one: Serve;
  let two: Serve;

  beforeEach(async () => {
    host = await ServeHost.open();
    onTestFinished(() => host.close());
    [one, two] = await Promise.all([host.start(...flags, ...ECHO), host.start(...flags, ...ECHO)]);
  });

  it('R-9 R-27 R-28 carry a question to the other server, and its answer back', async () => {
    const asked = await one.run(['request', two.serverUser, ...ASK]);
    expect(asked).toMatchObject({ code: 0 });
    expect(objectsOf(asked.stdout)).toEqual([answerOf(two)]);

    const entry = { via: 'federation', type: 'org.example.q', outcome: 'handled', content: { n: 1 } };
    expect(await two.end()).toEqual([
      { v: 1, direction: 'in', sender: one.alice.userId, to: two.serverUser, device: '', ...entry },
      { v: 1, direction: 'out', sender: two.serverUser, to: one.alice.userId, device: '*', ...entry },
    ]);
  });

  it('R-10 R-17 take "*" for the one device of the other server', async () => {
    await sendToDevice(one.alice, { userId: two.serverUser, deviceId: '*' }, 'org.example.q', { n: 1 });
    expect(await two.logged({ direction: 'in', outcome: 'handled' })).toMatchObject({ device: '' });
    expect(await receive(one.alice, 1)).toEqual([
      { sender: two.serverUser, type: 'org.example.q', content: { n: 1 } },
    ]);
  });

  it('R-35 answer the device that the question names', async () => {
    const content = { device_id: one.alice.deviceId };
    await sendToDevice(one.alice, { userId: two.serverUser, deviceId: '' }, 'org.example.q', content);
    expect(await two.logged({ direction: 'out' })).toMatchObject({ device: one.alice.deviceId });
    expect(await receive(one.alice, 1)).toMatchObject([{ sender: two.serverUser, content }]);
  });

  it.each(['v3', 'sliding'])('R-25 R-26 show the answer in --sync %s', async (api) => {
    await sendToDevice(one.alice, { userId: two.serverUser, deviceId: '' }, 'org.example.q', { n: 1 });
    const heard = await one.run(['listen', '--sync', api, '--count', '1', '--timeout', '20s']);
    expect(objectsOf(heard.stdout)).toEqual([answerOf(two)]);
  });

  it('carry messages from user to user', async () => {
    for (const deviceId of [two.bob.deviceId, '*']) {
      await sendToDevice(one.alice, { userId: two.bob.userId, deviceId }, 'org.example.q', { deviceId });
    }
    expect(await receive(two.bob, 2)).toEqual([
      { sender: one.alice.userId, type: 'org.example.q', content: { deviceId: two.bob.deviceId } },
      { sender: one.alice.userId, type: 'org.example.q', content: { deviceId: '*' } },
    ]);
  });
});

describe('two mx2s serve of which one verifies certificates', () => {
  it('do not get a message to the one that has made its own', async () => {
    const host = await ServeHost.open();
    try {
      const one = await host.start(...VERIFYING);
      const two = await host.start(...INSECURE);
      await sendToDevice(one.alice, { userId: two.serverUser, deviceId: '' }, 'mx2s.ping', { nonce: 'n' });
      expect(await one.said(/cannot send to/)).toMatch(/certificate/);
      expect(await two.end()).toEqual([]);
    } finally {
      await host.close();
    }
  });
});

/** What `mx2s` prints of the echo. */
function answerOf({ serverUser }: Serve) {
  return {
    v: 1,
    sender: serverUser,
    type: 'org.example.q',
    content: { n: 1 },
    server_user: true,
    own_server: false,
    received_ts: expect.any(Number) as number,
  };
}
