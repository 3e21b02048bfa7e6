/** `mx2s serve` and a real Synapse, both ways over TLS, each verifying the other's certificate. */
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { newAccount, objectsOf, type Account } from './kit/account.js';
import { receive, sendToDevice, type Session } from './kit/matrix.js';
import { startResponder } from './kit/responder.js';
import { ServeHost, VERIFYING, type Serve } from './kit/serve.js';
import { loginServerUser, newSession } from './kit/synapse.js';

const found = inject('synapse');
const ASK = ['-t', 'org.example.q', '-d', '{"n":1}', '--timeout', '20s'];

describe.runIf(!('missing' in found))('mx2s serve and Synapse', () => {
  let host: ServeHost;
  let serve: Serve;
  /** A user of Synapse. */
  let carol: Session;
  /** The server user of Synapse: an ordinary account there. */
  let synapse: Session;

  beforeEach(async () => {
    if ('missing' in found) throw new Error(found.missing);
    host = await ServeHost.open();
    onTestFinished(() => host.close());
    serve = await host.start(...VERIFYING, '--on', 'org.example.*=echo');
    carol = await newSession(found);
    synapse = await loginServerUser(found);
  });

  const ask = (from: Session, userId: string, deviceId: string, content: Record<string, unknown>) =>
    sendToDevice(from, { userId, deviceId }, 'org.example.q', content);

  describe('a user of Synapse', () => {
    let account: Account;
    beforeEach(async () => {
      if ('missing' in found) throw new Error(found.missing);
      account = await newAccount(found);
      onTestFinished(() => account.remove());
      expect(await account.login()).toMatchObject({ code: 0 });
    });

    it('R-9 R-28 asks our server, and reads its answer', async () => {
      const asked = await account.run(['request', serve.serverUser, ...ASK]);
      expect(asked).toMatchObject({ code: 0 });
      expect(objectsOf(asked.stdout)).toEqual([answerOf(serve.serverUser)]);
    });

    it.each(['v3', 'sliding'])('R-26 R-28 finds the answer of our server in --sync %s', async (api) => {
      expect(await account.run(['send', serve.serverUser, ...ASK.slice(0, 4)])).toMatchObject({ code: 0 });
      const heard = await account.run(['listen', '--sync', api, '--count', '1', '--timeout', '20s']);
      expect(objectsOf(heard.stdout)).toEqual([answerOf(serve.serverUser)]);
    });
  });

  it('R-27 answers all devices of a user of Synapse, or the one that the question names', async () => {
    await ask(carol, serve.serverUser, '', { n: 1 });
    await ask(carol, serve.serverUser, '', { device_id: carol.deviceId });
    expect(await receive(carol, 2)).toEqual([
      { sender: serve.serverUser, type: 'org.example.q', content: { n: 1 } },
      { sender: serve.serverUser, type: 'org.example.q', content: { device_id: carol.deviceId } },
    ]);
    const out = (await serve.end()).filter(({ direction }) => direction === 'out');
    expect(out.map(({ device }) => device)).toEqual(['*', carol.deviceId]);
  });

  it('R-17 takes the "*" of Synapse, which sends it on, for its one device', async () => {
    await ask(carol, serve.serverUser, '*', { n: 1 });
    expect(await serve.logged({ direction: 'in' })).toMatchObject({
      ...{ sender: carol.userId, to: serve.serverUser, device: '', via: 'federation' },
      ...{ outcome: 'handled', content: { n: 1 } },
    });
    expect(await receive(carol, 1)).toMatchObject([{ sender: serve.serverUser }]);
  });

  it('R-9 R-14 brings the question of our user to the server user of Synapse, and its answer back', async () => {
    const responder = startResponder(synapse, ({ type, content }) => ({ type, content }));
    try {
      const asked = await serve.run(['request', synapse.userId, ...ASK]);
      expect(asked).toMatchObject({ code: 0 });
      expect(objectsOf(asked.stdout)).toEqual([answerOf(synapse.userId)]);
    } finally {
      await responder.stop();
    }
  });

  it('R-10 R-14 tells Synapse of device "" also where our user said "*"', async () => {
    await ask(serve.alice, synapse.userId, '*', { n: 1 });
    await ask(serve.alice, synapse.userId, '', { n: 2 });
    expect(await receive(synapse, 2)).toEqual([
      { sender: serve.alice.userId, type: 'org.example.q', content: { n: 1 } },
      { sender: serve.alice.userId, type: 'org.example.q', content: { n: 2 } },
    ]);
  });

  it('R-25 R-28 shows our user what the server user of Synapse says', async () => {
    await ask(synapse, serve.alice.userId, serve.alice.deviceId, { n: 1 });
    await ask(synapse, serve.alice.userId, '*', { n: 2 });
    expect(await receive(serve.alice, 2)).toEqual(
      [1, 2].map((n) => ({ sender: synapse.userId, type: 'org.example.q', content: { n } })),
    );
  });

  it.each(['v3', 'sliding'])('R-26 R-28 shows it in --sync %s', async (api) => {
    await ask(synapse, serve.alice.userId, '*', { n: 1 });
    const heard = await serve.run(['listen', '--sync', api, '--count', '1', '--timeout', '20s']);
    expect(objectsOf(heard.stdout)).toEqual([answerOf(synapse.userId)]);
  });

  it('carries messages from user to user, both ways', async () => {
    await ask(carol, serve.bob.userId, serve.bob.deviceId, { n: 1 });
    await ask(serve.bob, carol.userId, carol.deviceId, { n: 2 });
    expect(await receive(serve.bob, 1)).toMatchObject([{ sender: carol.userId, content: { n: 1 } }]);
    expect(await receive(carol, 1)).toMatchObject([{ sender: serve.bob.userId, content: { n: 2 } }]);
  });
});

/** What `mx2s` prints of an answer. */
function answerOf(sender: string) {
  return {
    v: 1,
    sender,
    type: 'org.example.q',
    content: { n: 1 },
    server_user: true,
    own_server: false,
    received_ts: expect.any(Number) as number,
  };
}
