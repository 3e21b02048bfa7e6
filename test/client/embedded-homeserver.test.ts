import { describe, expect, it, onTestFinished } from 'vitest';
import type { ClientApi, TokenSource } from '../../src/client/api.js';
import { deviceHasKeys } from '../../src/client/keys-query.js';
import { loginFlows, passwordLogin } from '../../src/client/login.js';
import { logout } from '../../src/client/logout.js';
import { openClientApi } from '../../src/client/open.js';
import { refresh } from '../../src/client/refresh.js';
import { sendToDevice } from '../../src/client/send-to-device.js';
import { openSlidingSync } from '../../src/client/sliding-sync.js';
import { syncV3 } from '../../src/client/sync.js';
import { discover } from '../../src/client/well-known.js';
import { whoami } from '../../src/client/whoami.js';
import { startServer, type RunningServer, type ServerOptions } from '../../src/server/listen.js';
import { jsonTextOf } from '../../src/wire/json.js';
import { TurnedClock } from '../http/turned-clock.js';
import { fixedToken, openTestHttp } from './test-api.js';

async function startHomeserver(options: ServerOptions = {}): Promise<RunningServer> {
  const server = await startServer(options);
  onTestFinished(() => server.stop());
  return server;
}

function apiOf(server: RunningServer, tokens: TokenSource | undefined): ClientApi {
  return openClientApi({ baseUrl: server.homeserver, http: openTestHttp(), tokens });
}

async function logIn(server: RunningServer, index = 0) {
  const { userId, password } = server.users[index] ?? expect.fail('no such user');
  return passwordLogin(apiOf(server, undefined), { user: userId, password: password ?? '' });
}

const PING = (server: RunningServer, nonce: string) => ({
  type: 'mx2s.ping',
  txnId: nonce,
  messages: jsonTextOf({ [`@:${server.serverName}`]: { '': { nonce } } }),
});

describe('against the embedded homeserver', () => {
  it('is found by its server name, and offers a password', async () => {
    const server = await startHomeserver();
    const found = await discover(openTestHttp(), server.serverName);
    expect(found).toMatchObject({ found: true, baseUrl: server.homeserver });
    expect(await loginFlows(apiOf(server, undefined))).toContain('m.login.password');
  });

  it('a message to the server is answered by the server itself, over both sync APIs', async () => {
    const server = await startHomeserver();
    const { userId, deviceId, accessToken } = await logIn(server);
    const api = apiOf(server, fixedToken(accessToken));
    expect(await whoami(api)).toEqual({ userId, deviceId, isGuest: false });
    expect(await deviceHasKeys(api, { userId, deviceId })).toBe(false);

    await sendToDevice(api, PING(server, 'one'));
    await server.settled();
    const batch = await syncV3(api, { timeoutMs: 0 });
    expect(batch.events).toMatchObject([{ sender: `@:${server.serverName}`, type: 'mx2s.pong' }]);
    expect(JSON.parse(batch.events[0]?.content ?? '')).toMatchObject({ nonce: 'one' });
    expect(await syncV3(api, { timeoutMs: 0, since: batch.nextBatch })).toMatchObject({ events: [] });

    await sendToDevice(api, PING(server, 'two'));
    await server.settled();
    const connection = openSlidingSync(api);
    const first = await connection.sync({ timeoutMs: 0 });
    expect(JSON.parse(first.events[0]?.content ?? '')).toMatchObject({ nonce: 'two' });
    expect(await connection.sync({ timeoutMs: 0, since: first.nextBatch })).toMatchObject({ events: [] });
  });

  it('a long poll ends with the message it waited for, or with the signal', async () => {
    const server = await startHomeserver();
    const { accessToken } = await logIn(server);
    const api = apiOf(server, fixedToken(accessToken));
    const { nextBatch } = await syncV3(api, { timeoutMs: 0 });
    const polled = syncV3(api, { timeoutMs: 30_000, since: nextBatch });
    await sendToDevice(api, PING(server, 'x'));
    const { events, nextBatch: after } = await polled;
    expect(events).toMatchObject([{ type: 'mx2s.pong' }]);

    const stop = new AbortController();
    const held = syncV3(api, { timeoutMs: 30_000, since: after }, stop.signal);
    stop.abort(new Error('enough'));
    await expect(held).rejects.toThrow('enough');
  });

  it('an expired token is renewed, and the call made again', async () => {
    const clock = new TurnedClock(Date.now());
    const server = await startHomeserver({ clock });
    const session = await logIn(server);
    expect(session).toMatchObject({ refreshToken: expect.any(String) as string, expiresInMs: 300_000 });
    let renewals = 0;
    const api = apiOf(server, {
      current: () => Promise.resolve(session.accessToken),
      async renew() {
        renewals += 1;
        const refreshToken = session.refreshToken ?? '';
        return (await refresh(apiOf(server, undefined), { refreshToken })).accessToken;
      },
    });
    expect(await whoami(api)).toMatchObject({ userId: session.userId });
    await clock.sleep(300_001);
    expect(await whoami(api)).toMatchObject({ userId: session.userId });
    expect(renewals).toBe(1);
  });

  it('a session that was ended is refused', async () => {
    const server = await startHomeserver();
    const { accessToken } = await logIn(server);
    const api = apiOf(server, fixedToken(accessToken));
    await logout(api);
    await expect(whoami(api)).rejects.toMatchObject({ code: 'token_refused', errcode: 'M_UNKNOWN_TOKEN' });
  });

  it('a wrong password is refused', async () => {
    const server = await startHomeserver();
    const login = passwordLogin(apiOf(server, undefined), { user: 'alice', password: 'wrong-word' });
    await expect(login).rejects.toMatchObject({ code: 'refused', status: 403, errcode: 'M_FORBIDDEN' });
  });
});
