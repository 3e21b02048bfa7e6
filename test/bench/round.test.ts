import { expect, it, onTestFinished } from 'vitest';
import { roundsOf, type Runner } from '../../src/bench/round.js';
import { connect } from '../../src/client/connect.js';
import { MalformedResponseError } from '../../src/errors.js';
import { startServer } from '../../src/server/listen.js';
import { json, startLoopbackServer, type Respond } from '../http/loopback-server.js';
import { NEVER } from '../listen/kit.js';

it('a round sends a message and gets it, with an account that is free', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const runners = server.users.map(({ accessToken, ...user }): Runner => {
    const api = connect({ homeserver: server.homeserver, accessToken });
    onTestFinished(() => api.close());
    return { ...user, api };
  });
  const round = roundsOf(runners);
  await Promise.all([round(1, NEVER), round(2, NEVER)]);
  await Promise.all([round(3, NEVER), round(4, NEVER)]); // what came before was acknowledged
});

it.each<[string, Respond]>([
  ['nothing', (_, response) => json(response, 200, { next_batch: 's1' })],
  [
    'more than was sent',
    (_, response) => json(response, 200, { next_batch: 's1', to_device: { events: [{}, {}] } }),
  ],
])('a round that brings %s is none', async (_what, respond) => {
  const { url } = await startLoopbackServer(respond);
  const api = connect({ homeserver: url, accessToken: 'token', retries: 0 });
  onTestFinished(() => api.close());
  const round = roundsOf([{ api, userId: '@alice:example.org', deviceId: 'D' }]);
  await expect(round(1, NEVER)).rejects.toBeInstanceOf(MalformedResponseError);
});
