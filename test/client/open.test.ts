import { onTestFinished, describe, expect, it } from 'vitest';
import { openClientApi } from '../../src/client/open.js';
import { passwordLogin } from '../../src/client/login.js';
import { sendToDevice } from '../../src/client/send-to-device.js';
import { syncV3 } from '../../src/client/sync.js';
import { whoami } from '../../src/client/whoami.js';
import { HttpClient } from '../../src/http/client.js';
import { openTransport } from '../../src/http/transport.js';
import { jsonTextOf } from '../../src/wire/json.js';
import { json, startLoopbackServer } from '../http/loopback-server.js';
import { TurnedClock } from '../http/turned-clock.js';

describe('the whole path', () => {
  it('logs in, asks who it is, sends and syncs', async () => {
    const server = await startLoopbackServer((asked, response) => {
      if (asked.path.endsWith('/login'))
        json(response, 200, {
          user_id: '@a:b',
          device_id: 'D',
          access_token: 'secret-1',
          refresh_token: 'r',
        });
      else if (asked.path.endsWith('/whoami')) json(response, 200, { user_id: '@a:b', device_id: 'D' });
      else if (asked.path.includes('/sendToDevice/')) json(response, 200, {});
      else
        json(response, 200, {
          next_batch: 's1',
          to_device: { events: [{ sender: '@:b', type: 't', content: 1 }] },
        });
    });
    const lines: string[] = [];
    const transport = openTransport({ trace: (line) => lines.push(line) });
    onTestFinished(() => transport.close());
    const http = new HttpClient({
      transport,
      clock: new TurnedClock(),
      chance: { fraction: () => 0.5 },
      policy: { retries: 5, maxWaitMs: 60_000 },
    });
    const login = await passwordLogin(openClientApi({ baseUrl: server.url, http }), {
      user: 'a',
      password: 'pass-word',
    });
    expect(login).toMatchObject({
      userId: '@a:b',
      deviceId: 'D',
      accessToken: 'secret-1',
      refreshToken: 'r',
    });
    const api = openClientApi({
      baseUrl: server.url,
      http,
      tokens: { current: () => Promise.resolve('secret-1'), renew: () => Promise.resolve(undefined) },
    });
    expect(await whoami(api)).toEqual({ userId: '@a:b', deviceId: 'D', isGuest: false });
    const messages = jsonTextOf({ '@:b': { '': { x: 1 } } });
    expect(await sendToDevice(api, { type: 'm.a/b', txnId: "t*'1", messages })).toEqual({
      attempts: 1,
      elapsedMs: 0,
    });
    expect(await syncV3(api, { since: 's0', timeoutMs: 0 })).toEqual({
      nextBatch: 's1',
      events: [{ sender: '@:b', type: 't', content: '1' }],
      malformedCount: 0,
    });
    expect(server.asked.map(({ path }) => path.replace(/\?.*/, ''))).toEqual([
      '/_matrix/client/v3/login',
      '/_matrix/client/v3/account/whoami',
      '/_matrix/client/v3/sendToDevice/m.a%2Fb/t%2A%271',
      '/_matrix/client/v3/sync',
    ]);
    expect(lines.join('\n')).not.toMatch(/secret-1|pass-word/);
  });
});
