/** `mx2s` and a real Dendrite: as its client, and as another server, each verifying the other's certificate. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { newAccount, objectsOf, type Account } from './kit/account.js';
import { startDendrite, type Dendrite } from './kit/dendrite.js';
import { dendriteProgram } from './kit/dendrite-program.js';
import { newSession } from './kit/homeserver.js';
import { receive, sendToDevice, type Session } from './kit/matrix.js';
import { freePorts } from './kit/ports.js';
import { ServeHost, TRUSTING, VERIFYING, type Serve } from './kit/serve.js';
import { freshMessageId, startStranger } from './kit/stranger.js';

const program = await dendriteProgram(process.env);
const TYPE = 'org.example.q';
const ASK = ['-t', TYPE, '-d', '{"n":1}'];

describe.runIf(!('missing' in program))('mx2s and Dendrite', () => {
  let dendrite: Dendrite;
  let account: Account;
  /** Another user. */
  let carol: Session;

  beforeAll(async () => {
    dendrite = await startDendrite(program);
  });
  afterAll(() => dendrite.stop());
  beforeEach(async () => {
    carol = await newSession(dendrite.address);
    account = await newAccount(dendrite.address);
    onTestFinished(() => account.remove());
    expect(await account.login()).toMatchObject({ code: 0 });
  });

  const listen = async (...flags: readonly string[]) => {
    const heard = await account.run(['listen', ...flags, '--timeout', '20s']);
    expect(heard).toMatchObject({ code: 0, stderr: '' });
    return objectsOf(heard.stdout);
  };
  const deviceOf = async () => String(objectsOf((await account.run(['whoami'])).stdout)[0]?.['device_id']);
  const sessionOfAccount = async () => ({ userId: account.userId, deviceId: await deviceOf() });
  const serverUser = () => `@:${dendrite.address.serverName}`;

  describe('the client', () => {
    it('logs in and out', async () => {
      const whoami = await account.run(['whoami']);
      expect(objectsOf(whoami.stdout)).toMatchObject([{ user_id: account.userId }]);
      expect(await account.run(['logout'])).toMatchObject({ code: 0 });
      expect(await account.run(['whoami'])).toMatchObject({ code: 4 });
    });

    it('sends to a user, who receives it', async () => {
      const sent = await account.run(['send', carol.userId, '--device', carol.deviceId, ...ASK]);
      expect(sent).toMatchObject({ code: 0 });
      expect(objectsOf(sent.stdout)).toMatchObject([{ status: 'accepted', device: carol.deviceId }]);
      expect(await receive(carol, 1)).toEqual([{ sender: account.userId, type: TYPE, content: { n: 1 } }]);
    });

    it('hears nothing when the server user, which is nobody there, is asked', async () => {
      expect(await account.run(['send', serverUser(), ...ASK])).toMatchObject({ code: 0 });
      const asked = await account.run(['request', serverUser(), ...ASK, '--timeout', '1s']);
      expect(asked).toMatchObject({ code: 124, stdout: '' });
    });

    it('listens to batches without to_device, and prints each event once', async () => {
      expect(await listen('--any-sender', '--drain')).toEqual([]);
      const to = await sessionOfAccount();
      for (const n of [1, 2]) await sendToDevice(carol, to, TYPE, { n });
      for (const n of [1, 2]) {
        expect(await listen('--any-sender', '--count', '1')).toMatchObject([
          { sender: carol.userId, content: { n }, server_user: false },
        ]);
      }
      expect(await listen('--any-sender', '--drain')).toEqual([]);
    });

    it('prints an event that comes while it waits', async () => {
      const flags = ['--any-sender', '--count', '1', '--ready-file', 'ready'];
      const listening = account.start(['listen', ...flags]);
      await listening.lineOf('stderr', /^ready/);
      await sendToDevice(carol, await sessionOfAccount(), TYPE, { n: 1 });
      expect(objectsOf((await listening.result).stdout)).toMatchObject([{ content: { n: 1 } }]);
    });

    it('prints content that is no object, and what JavaScript cannot hold, as it came', async () => {
      const contents = ['null', '"x"', '[1]', '{"n":12345678901234567890,"half":"\\ud800"}'];
      const device = await sessionOfAccount();
      for (const content of contents) {
        const body = `{"messages":{"${device.userId}":{"${device.deviceId}":${content}}}}`;
        expect(await put(carol, crypto.randomUUID(), body)).toMatchObject({ status: 200 });
      }
      const heard = await account.run(['listen', '--any-sender', '--raw', '--count', '4']);
      expect(heard).toMatchObject({ code: 0, stdout: contents.map((content) => `${content}\n`).join('') });
    });

    it('refuses by itself what Dendrite answers with 500 and no errcode', async () => {
      const body = '{"messages":{"nobody":{"":{}}}}';
      expect(await put(carol, 'x', body)).toEqual({ status: 500, body: '{"Err":""}' });
      expect(await account.run(['send', 'nobody', ...ASK])).toMatchObject({ code: 2 });
    });

    it('says that Dendrite does not know a position', async () => {
      const refused = await account.run(['listen', '--since', 'garbage', '--timeout', '20s']);
      expect(refused.code).toBe(1);
      expect(objectsOf(refused.stderr)).toMatchObject([{ error: { errcode: 'M_INVALID_PARAM' } }]);
    });

    it('reads /v3/sync in place of sliding sync, and says so', async () => {
      await sendToDevice(carol, await sessionOfAccount(), TYPE, { n: 1 });
      const heard = await account.run(['listen', '--sync', 'sliding', '--any-sender', '--drain']);
      expect(heard).toMatchObject({ code: 0, stderr: expect.stringContaining('no sliding sync') as string });
      expect(objectsOf(heard.stdout)).toMatchObject([{ content: { n: 1 } }]);
    });
  });

  describe('mx2s serve', () => {
    let serve: Serve;
    beforeEach(async () => {
      const host = await ServeHost.open();
      onTestFinished(() => host.close());
      serve = await host.start(...VERIFYING, '--on', 'org.example.*=echo');
    });

    it('R-9 R-28 answers a user of Dendrite', async () => {
      const asked = await account.run(['request', serve.serverUser, ...ASK, '--timeout', '20s']);
      expect(asked).toMatchObject({ code: 0 });
      expect(objectsOf(asked.stdout)).toMatchObject([
        { sender: serve.serverUser, content: { n: 1 }, server_user: true, own_server: false },
      ]);
    });

    it('R-17 takes the "*" of Dendrite, which sends it on, for its one device', async () => {
      await sendToDevice(carol, { userId: serve.serverUser, deviceId: '*' }, TYPE, { n: 1 });
      expect(await serve.logged({ direction: 'in' })).toMatchObject({ device: '', outcome: 'handled' });
      expect(await receive(carol, 1)).toMatchObject([{ sender: serve.serverUser }]);
    });

    it('R-27 answers the device that the question names', async () => {
      const content = { device_id: carol.deviceId };
      await sendToDevice(carol, { userId: serve.serverUser, deviceId: '' }, TYPE, content);
      expect(await receive(carol, 1)).toEqual([{ sender: serve.serverUser, type: TYPE, content }]);
      expect(await serve.logged({ direction: 'out' })).toMatchObject({ device: carol.deviceId });
    });

    it('carries messages from user to user, both ways', async () => {
      await sendToDevice(carol, serve.bob, TYPE, { n: 1 });
      await sendToDevice(serve.bob, { userId: carol.userId, deviceId: '*' }, TYPE, { n: 2 });
      expect(await receive(serve.bob, 1)).toMatchObject([{ sender: carol.userId, content: { n: 1 } }]);
      expect(await receive(carol, 1)).toMatchObject([{ sender: serve.bob.userId, content: { n: 2 } }]);
    });

    it('has its question to the server user taken, and no answer', async () => {
      const asked = await serve.run(['request', serverUser(), ...ASK, '--timeout', '2s']);
      expect(asked).toMatchObject({ code: 124, stdout: '' });
    });
  });

  describe('mx2s send --as', () => {
    let host: ServeHost;
    let authority: string;
    beforeEach(async () => {
      host = await ServeHost.open();
      onTestFinished(() => host.close());
      authority = `localhost:${String((await freePorts())[0])}`;
      expect(await host.run(['keygen', 'signing.key'])).toMatchObject({ code: 0 });
    });

    const speak = async (device: string, ...flags: readonly string[]) => {
      const key = ['--as', `@:${authority}`, '--signing-key', 'signing.key', ...flags];
      return host.run(['send', account.userId, '--device', device, ...ASK, ...key]);
    };
    const published = () => ['--listen', `127.0.0.1:${authority.replace(/^.*:/, '')}`, ...VERIFYING];

    it.each(['a device', '*'])(
      'R-27 R-28 reaches a user, %s, whose client tells a server',
      async (device) => {
        const sent = await speak(device === '*' ? '*' : await deviceOf(), ...published());
        expect(sent).toMatchObject({ code: 0 });
        expect(await listen('--count', '1')).toMatchObject([
          { sender: `@:${authority}`, content: { n: 1 }, server_user: true, own_server: false },
        ]);
      },
    );

    it('says what is missing when Dendrite cannot fetch the key, which it refuses without errcode', async () => {
      const refused = await speak('*', ...TRUSTING);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(objectsOf(refused.stderr)).toMatchObject([
        { error: { http_status: 401, hint: expect.stringContaining('--listen') as string } },
      ]);
    });
  });

  it('prints twice what another server has sent twice, which Dendrite delivers twice', async () => {
    const stranger = await startStranger();
    const { userId, deviceId } = await sessionOfAccount();
    const edu = {
      ...{ sender: `@:${stranger.serverName}`, type: TYPE, message_id: freshMessageId() },
      messages: { [userId]: { [deviceId]: { n: 1 } } },
    };
    await stranger.say(dendrite.address.serverName, edu);
    await stranger.say(dendrite.address.serverName, edu);
    expect(await listen('--count', '2')).toMatchObject([{ content: { n: 1 } }, { content: { n: 1 } }]);
  });

  it('R-16 shows its user nothing that claims to be of another server than it came from', async () => {
    const stranger = await startStranger();
    const { userId, deviceId } = await sessionOfAccount();
    const edu = (sender: string, n: number) => ({
      ...{ sender, type: TYPE, message_id: freshMessageId() },
      messages: { [userId]: { [deviceId]: { n } } },
    });
    const senders = ['@:victim.example', serverUser(), `@:${stranger.serverName}`];
    await stranger.say(dendrite.address.serverName, ...senders.map((sender, n) => edu(sender, n)));
    expect(await listen('--count', '1')).toMatchObject([{ sender: senders[2], content: { n: 2 } }]);
    expect(await listen('--any-sender', '--drain')).toEqual([]);
  });
});

/** Sends a body as it is, and gives the answer as it comes. */
async function put(from: Session, txnId: string, body: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`${from.baseUrl}/_matrix/client/v3/sendToDevice/${TYPE}/${txnId}`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${from.accessToken}` },
    body,
  });
  return { status: response.status, body: await response.text() };
}
