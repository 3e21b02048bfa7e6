/** `mx2s send --as`: whoever holds the key of a server speaks as it, to Synapse and to `mx2s serve`. */
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { objectsOf } from './kit/account.js';
import { receive, type Session } from './kit/matrix.js';
import { freePorts } from './kit/ports.js';
import { ServeHost, TRUSTING, VERIFYING } from './kit/serve.js';
import { loginServerUser, newSession } from './kit/synapse.js';

const found = inject('synapse');
const MESSAGE = ['-t', 'org.example.whatever', '-d', '{"example_content":"value"}'];
const CONTENT = { example_content: 'value' };

describe('mx2s send --as', () => {
  let host: ServeHost;
  /** Where the server is that speaks, if only for a moment. */
  let port: string;
  let speaker: string;

  beforeEach(async () => {
    host = await ServeHost.open();
    onTestFinished(() => host.close());
    port = String((await freePorts())[0]);
    speaker = `@:localhost:${port}`;
    expect(await host.run(['keygen', 'signing.key'])).toMatchObject({ code: 0 });
  });

  const sendAs = (to: readonly string[], flags: readonly string[]) =>
    host.run(['send', ...to, ...MESSAGE, '--as', speaker, '--signing-key', 'signing.key', ...flags]);
  /** With the key where others look for it. */
  const speak = (...to: readonly string[]) => sendAs(to, ['--listen', `127.0.0.1:${port}`, ...VERIFYING]);
  const event = () => ({ sender: speaker, type: 'org.example.whatever', content: CONTENT });

  describe.runIf(!('missing' in found))('to Synapse', () => {
    let carol: Session;
    beforeEach(async () => {
      if ('missing' in found) throw new Error(found.missing);
      carol = await newSession(found);
    });

    it.each(['a device', '*'])('R-27 R-28 reaches a user, %s', async (device) => {
      const sent = await speak(carol.userId, '--device', device === '*' ? device : carol.deviceId);
      expect(sent).toMatchObject({ code: 0 });
      expect(objectsOf(sent.stdout)).toMatchObject([{ status: 'accepted', to: carol.userId, as: speaker }]);
      expect(await receive(carol, 1)).toEqual([event()]);
    });

    it('reaches the server user', async () => {
      if ('missing' in found) throw new Error(found.missing);
      const synapse = await loginServerUser(found);
      expect(await speak(synapse.userId)).toMatchObject({ code: 0 });
      expect(await receive(synapse, 1)).toEqual([event()]);
    });

    it('says what is missing when Synapse cannot fetch the key', async () => {
      const refused = await sendAs([carol.userId, '--device', '*'], TRUSTING);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(objectsOf(refused.stderr)).toMatchObject([
        { error: { errcode: 'M_UNAUTHORIZED', hint: expect.stringContaining('--listen') as string } },
      ]);
    });
  });

  describe('to mx2s serve', () => {
    it('R-27 R-28 reaches a user, whose client tells that a server speaks', async () => {
      const serve = await host.start(...VERIFYING);
      expect(await speak(serve.alice.userId, '--device', serve.alice.deviceId)).toMatchObject({ code: 0 });
      const heard = await serve.run(['listen', '--count', '1', '--timeout', '20s']);
      expect(objectsOf(heard.stdout)).toMatchObject([{ ...event(), server_user: true, own_server: false }]);
    });

    it('R-36 reaches the server, which does not answer a server', async () => {
      const serve = await host.start(...VERIFYING, '--on', 'org.example.*=echo');
      expect(await speak(serve.serverUser)).toMatchObject({ code: 0 });
      expect(await serve.end()).toMatchObject([
        { direction: 'in', sender: speaker, to: serve.serverUser, device: '', outcome: 'handled' },
      ]);
    });

    it('needs no --listen where mx2s serve publishes the key', async () => {
      const flags = ['--server-name', `localhost:${port}`, '--signing-key', 'signing.key'];
      await host.start(...VERIFYING, ...flags, '--federation-port', port);
      const serve = await host.start(...VERIFYING);
      expect(await sendAs([serve.alice.userId, '--device', '*'], TRUSTING)).toMatchObject({ code: 0 });
      expect(await receive(serve.alice, 1)).toEqual([event()]);
    });

    it('says what is missing when the key cannot be fetched', async () => {
      const serve = await host.start(...VERIFYING);
      const refused = await sendAs([serve.alice.userId, '--device', '*'], TRUSTING);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(objectsOf(refused.stderr)).toMatchObject([
        { error: { errcode: 'M_UNAUTHORIZED', hint: expect.stringContaining('--listen') as string } },
      ]);
    });
  });
});
