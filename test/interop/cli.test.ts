/** The main job, against a real homeserver: each test is a user of its own, and the real program. */
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { newAccount, objectsOf, type Account } from './kit/account.js';
import { sendToDevice, syncOnce, type Session } from './kit/matrix.js';
import { startResponder } from './kit/responder.js';
import { loginServerUser, loginUser, startSynapse, type SynapseAddress } from './kit/synapse.js';

const found = inject('synapse');

describe.runIf(!('missing' in found))('mx2s and Synapse', () => {
  let synapse: SynapseAddress;
  let account: Account;
  let server: Session;

  beforeEach(async () => {
    if ('missing' in found) throw new Error(found.missing);
    synapse = found;
    account = await newAccount(synapse);
    server = await loginServerUser(synapse);
  });
  afterEach(() => account.remove());

  const deviceOf = async () => String(objectsOf((await account.run(['whoami'])).stdout)[0]?.['device_id']);
  const sendAsServer = async (n: number) =>
    sendToDevice(server, { userId: account.userId, deviceId: await deviceOf() }, 'org.example.event', { n });
  const eventOf = (n: number) => ({
    v: 1,
    sender: server.userId,
    type: 'org.example.event',
    content: { n },
    server_user: true,
    own_server: true,
    received_ts: expect.any(Number) as number,
  });

  describe('login', () => {
    it('stores a profile that whoami uses, until logout', async () => {
      const loggedIn = await account.login();
      expect(loggedIn).toMatchObject({ code: 0 });
      const [profile] = objectsOf(loggedIn.stdout);
      expect(profile).toMatchObject({ v: 1, profile: 'default', user_id: account.userId });

      const whoami = await account.run(['whoami']);
      expect(objectsOf(whoami.stdout)).toMatchObject([
        { user_id: account.userId, device_id: profile?.['device_id'], homeserver: profile?.['homeserver'] },
      ]);

      expect(await account.run(['logout'])).toMatchObject({ code: 0 });
      expect(await account.run(['whoami'])).toMatchObject({ code: 4 });
    });

    it('is refused with a wrong password', async () => {
      const args = ['login', synapse.baseUrl, '--user', account.name, '--password-file', '-'];
      const refused = await account.run(args, 'not the password');
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(objectsOf(refused.stderr)).toMatchObject([
        { error: { code: 'refused', errcode: 'M_FORBIDDEN', http_status: 403 } },
      ]);
    });
  });

  describe('send', () => {
    beforeEach(() => account.login());

    it('is accepted for the server, which receives it', async () => {
      const sent = await account.run(['send', server.userId, '-t', 'org.example.q', '-d', '{"n":1}']);
      expect(sent).toMatchObject({ code: 0 });
      expect(objectsOf(sent.stdout)).toMatchObject([
        { v: 1, status: 'accepted', to: server.userId, device: '', type: 'org.example.q' },
      ]);
      const { events } = await syncOnce(server, { timeoutMs: 10_000 });
      expect(events).toContainEqual({ type: 'org.example.q', sender: account.userId, content: { n: 1 } });
    });

    it('is accepted for a user, who receives it', async () => {
      const other = await loginUser(synapse, account.name, account.password);
      const sent = await account.run([
        ...['send', other.userId, '--device', other.deviceId],
        ...['-t', 'org.example.q', '-d', '{"n":1}'],
      ]);
      expect(objectsOf(sent.stdout)).toMatchObject([{ status: 'accepted', device: other.deviceId }]);
      const { events } = await syncOnce(other, { timeoutMs: 10_000 });
      expect(events).toEqual([{ type: 'org.example.q', sender: account.userId, content: { n: 1 } }]);
    });
  });

  describe.each(['v3', 'sliding'])('listen --sync %s', (api) => {
    beforeEach(() => account.login());
    const listen = async (...flags: string[]) => {
      const { code, stdout, stderr } = await account.run(['listen', '--sync', api, ...flags]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return objectsOf(stdout);
    };

    it('prints an event of the server, and acknowledges it', async () => {
      await sendAsServer(1);
      expect(await listen('--count', '1', '--timeout', '20s')).toEqual([eventOf(1)]);
      expect(await listen('--drain')).toEqual([]);
    });

    it('prints an event that comes while it waits', async () => {
      const listening = account.start(['listen', '--sync', api, '--count', '1', '--ready-file', 'ready']);
      await listening.lineOf('stderr', /^ready/);
      await sendAsServer(1);
      expect(objectsOf((await listening.result).stdout)).toEqual([eventOf(1)]);
    });

    it('prints the events of one batch one by one', async () => {
      for (const n of [1, 2, 3]) await sendAsServer(n);
      for (const n of [1, 2, 3]) {
        expect(await listen('--count', '1', '--timeout', '20s')).toEqual([eventOf(n)]);
      }
      expect(await listen('--drain')).toEqual([]);
    });

    it('shows with --peek all that waits, and leaves it there', async () => {
      await sendAsServer(1);
      expect(await listen('--peek')).toEqual([eventOf(1)]);
      await sendAsServer(2);
      expect(await listen('--peek')).toEqual([eventOf(1), eventOf(2)]);
      expect(await listen('--drain')).toEqual([eventOf(1), eventOf(2)]);
      expect(await listen('--peek')).toEqual([]);
    });
  });

  describe('request', () => {
    it('prints the answer of the server, and loses no other event', async () => {
      await account.login();
      await sendAsServer(1);
      const responder = startResponder(server, ({ content }) => ({
        type: 'org.example.answer',
        content: { to: content },
      }));
      const asked = await account.run(['request', server.userId, '-t', 'org.example.q', '-d', '{"n":7}']);
      await responder.stop();

      expect(asked).toMatchObject({ code: 0 });
      expect(objectsOf(asked.stdout)).toEqual([
        { ...eventOf(7), type: 'org.example.answer', content: { to: { n: 7 } } },
      ]);
      const rest = await account.run(['listen', '--drain']);
      expect(objectsOf(rest.stdout)).toEqual([eventOf(1)]);
    });

    it('gives up when nothing answers', async () => {
      await account.login();
      const asked = await account.run([
        'request',
        server.userId,
        '-t',
        'org.example.q',
        '--timeout',
        '500ms',
      ]);
      expect(asked).toMatchObject({ code: 124, stdout: '' });
    });
  });
});

describe.runIf(!('missing' in found))('mx2s and a Synapse whose access tokens expire soon', () => {
  it('refreshes the session before each of them expires', async () => {
    if ('missing' in found) throw new Error(found.missing);
    const synapse = await startSynapse(found.python, {
      config: { refreshable_access_token_lifetime: '5s' },
    });
    try {
      const account = await newAccount(synapse.address);
      expect(await account.login()).toMatchObject({ code: 0 });
      // Each run needs the refresh token that the one before it was given.
      for (let run = 1; run <= 3; run++) {
        const whoami = await account.run(['whoami', '--trace']);
        expect(whoami).toMatchObject({ code: 0, stderr: expect.stringContaining('/refresh') as string });
        expect(objectsOf(whoami.stdout)).toMatchObject([{ user_id: account.userId }]);
      }
      await account.remove();
    } finally {
      await synapse.stop();
    }
  });
});
