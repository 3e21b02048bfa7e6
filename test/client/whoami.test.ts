import { describe, expect, it } from 'vitest';
import { whoami } from '../../src/client/whoami.js';
import { MalformedResponseError } from '../../src/errors.js';
import { openTestApi } from './test-api.js';

describe('whoami', () => {
  it('reads user, device and whether it is a guest', async () => {
    const { api, server } = await openTestApi({
      user_id: '@alice:hs.example',
      device_id: 'D',
      is_guest: true,
    });
    expect(await whoami(api)).toEqual({ userId: '@alice:hs.example', deviceId: 'D', isGuest: true });
    expect(server.asked).toMatchObject([{ method: 'GET', path: '/_matrix/client/v3/account/whoami' }]);
  });

  it('knows tokens without a device, and a server user whose device has no name', async () => {
    expect(await whoami((await openTestApi({ user_id: '@as:hs.example' })).api)).toEqual({
      userId: '@as:hs.example',
      deviceId: undefined,
      isGuest: false,
    });
    expect(await whoami((await openTestApi({ user_id: '@:hs.example', device_id: '' })).api)).toMatchObject({
      userId: '@:hs.example',
      deviceId: '',
    });
  });

  it('refuses a device that is the token, which would be shown', async () => {
    const tokens = { current: async () => 'tok-secret', renew: async () => undefined };
    const answer = { user_id: '@alice:hs.example', device_id: 'x-tok-secret' };
    await expect(whoami((await openTestApi(answer, { tokens })).api)).rejects.toThrow(/a device_id without/);
  });

  it.each([{}, { user_id: '' }, { user_id: 'alice' }, { user_id: 7 }])('refuses %j', async (answer) => {
    await expect(whoami((await openTestApi(answer)).api)).rejects.toThrow(MalformedResponseError);
  });
});
