import { describe, expect, it } from 'vitest';
import { loginFlows, passwordLogin } from '../../src/client/login.js';
import { MalformedResponseError, NetworkError } from '../../src/errors.js';
import { json } from '../http/loopback-server.js';
import { openTestApi } from './test-api.js';

const ANSWER = { user_id: '@alice:hs.example', device_id: 'DEV', access_token: 'tok' };
const ALICE = { user: 'alice', password: 'pässword' };

describe('loginFlows', () => {
  it('lists the types, known or not', async () => {
    const { api, server } = await openTestApi({
      flows: [{ type: 'm.login.password' }, { type: 'org.example.magic', x: 1 }, {}, 'x'],
    });
    expect(await loginFlows(api)).toEqual(['m.login.password', 'org.example.magic']);
    expect(server.asked).toMatchObject([{ method: 'GET', path: '/_matrix/client/v3/login' }]);
    expect(server.asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it('is empty when nothing is offered', async () => {
    expect(await loginFlows((await openTestApi({})).api)).toEqual([]);
  });
});

describe('passwordLogin', () => {
  it('asks for refresh tokens, and for a device only where one is known', async () => {
    const { api, server } = await openTestApi(ANSWER, { tokens: undefined });
    await passwordLogin(api, ALICE);
    await passwordLogin(api, { ...ALICE, deviceId: '' });
    await passwordLogin(api, { ...ALICE, deviceId: 'OLD', deviceName: 'mx2s on host' });
    const common = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'alice' },
      password: 'pässword',
      refresh_token: true,
    };
    expect(server.asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      common,
      common,
      { ...common, device_id: 'OLD', initial_device_display_name: 'mx2s on host' },
    ]);
    expect(server.asked[0]).toMatchObject({ method: 'POST', path: '/_matrix/client/v3/login' });
  });

  it('reads what came', async () => {
    const { api } = await openTestApi({
      ...ANSWER,
      refresh_token: 'ref',
      expires_in_ms: 300_000,
      well_known: { 'm.homeserver': { base_url: 'https://hs.example/' } },
      home_server: 'hs.example',
    });
    expect(await passwordLogin(api, ALICE)).toEqual({
      userId: '@alice:hs.example',
      deviceId: 'DEV',
      accessToken: 'tok',
      refreshToken: 'ref',
      expiresInMs: 300_000,
      wellKnownBaseUrl: 'https://hs.example/',
    });
  });

  it.each(['tok-secret', 'refresh-secret', ALICE.password])(
    'refuses a device that is a secret, which would be shown: %s',
    async (device_id) => {
      const tokens = { access_token: 'tok-secret', refresh_token: 'refresh-secret' };
      const { api } = await openTestApi({ ...ANSWER, ...tokens, device_id });
      const refused = passwordLogin(api, ALICE);
      await expect(refused).rejects.toThrow(MalformedResponseError);
      await expect(refused).rejects.toThrow(/^(?!.*secret$)/);
    },
  );

  it('takes an old user ID', async () => {
    const { api } = await openTestApi({ ...ANSWER, user_id: '@Alice Ü:hs.example' });
    expect((await passwordLogin(api, ALICE)).userId).toBe('@Alice Ü:hs.example');
  });

  it.each([
    { ...ANSWER, user_id: undefined },
    { ...ANSWER, user_id: 'alice' },
    { ...ANSWER, device_id: undefined },
    { ...ANSWER, device_id: '' },
    { ...ANSWER, access_token: 7 },
  ])('refuses %j', async (answer) => {
    const { api } = await openTestApi(answer);
    await expect(passwordLogin(api, ALICE)).rejects.toThrow(MalformedResponseError);
  });

  it('is not tried twice when it may have made a device', async () => {
    const { api, server } = await openTestApi((_asked, response) => response.req.socket.destroy());
    await expect(passwordLogin(api, ALICE)).rejects.toThrow(NetworkError);
    expect(server.asked).toHaveLength(1);
  });

  it('refused says so without the password', async () => {
    const { api } = await openTestApi((_asked, response) =>
      json(response, 403, { errcode: 'M_FORBIDDEN', error: 'no user alice with password pässword' }),
    );
    await expect(passwordLogin(api, ALICE)).rejects.toMatchObject({
      code: 'refused',
      errcode: 'M_FORBIDDEN',
      message: expect.stringMatching(/password \*\*\*$/) as string,
      hint: 'check the user name and the password',
    });
  });
});
