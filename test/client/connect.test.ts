import { expect, it, onTestFinished } from 'vitest';
import { connect } from '../../src/client/connect.js';
import { sendMessage } from '../../src/client/send-message.js';
import { syncV3 } from '../../src/client/sync.js';
import { startServer } from '../../src/server/listen.js';
import {
  parseContent,
  parseEventType,
  parseRecipient,
  parseTransactionId,
} from '../../src/todevice/message.js';

it('gives a program that has a URL and a token all that it needs to ask a server and hear it', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const { accessToken = '' } = server.users[0] ?? {};
  const alice = connect({ homeserver: `${server.homeserver}/`, accessToken });
  onTestFinished(() => alice.close());
  const ping = {
    recipient: parseRecipient(`@:${server.serverName}`),
    type: parseEventType('mx2s.ping'),
    content: parseContent('{"nonce":"n"}'),
  };
  await sendMessage(alice, ping, parseTransactionId('t'));
  const { events } = await syncV3(alice, { timeoutMs: 30_000 });
  expect(events).toMatchObject([{ sender: `@:${server.serverName}`, type: 'mx2s.pong' }]);
});

it.each([
  [{ homeserver: 'nowhere', accessToken: 't' }, 'homeserver_url'],
  [{ homeserver: 'http://hs.test', accessToken: 'a b' }, 'access_token'],
])('%j is refused before anything is sent', (options, reason) => {
  expect(() => connect(options)).toThrow(expect.objectContaining({ code: 'invalid_input', reason }));
});
