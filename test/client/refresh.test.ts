import { describe, expect, it } from 'vitest';
import { refresh } from '../../src/client/refresh.js';
import { MalformedResponseError } from '../../src/errors.js';
import { json } from '../http/loopback-server.js';
import { openTestApi } from './test-api.js';

const OLD = { refreshToken: 'old-refresh' };

describe('refresh', () => {
  it('trades both tokens, without showing the access token', async () => {
    const { api, server } = await openTestApi({
      access_token: 'a2',
      refresh_token: 'r2',
      expires_in_ms: 1000,
    });
    expect(await refresh(api, OLD)).toEqual({ accessToken: 'a2', refreshToken: 'r2', expiresInMs: 1000 });
    expect(server.asked).toMatchObject([
      { method: 'POST', path: '/_matrix/client/v3/refresh', body: '{"refresh_token":"old-refresh"}' },
    ]);
    expect(server.asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it('keeps the old refresh token when no new one came', async () => {
    const { api } = await openTestApi({ access_token: 'a2' });
    expect(await refresh(api, OLD)).toEqual({
      accessToken: 'a2',
      refreshToken: 'old-refresh',
      expiresInMs: undefined,
    });
  });

  it('is tried again when the answer was lost: the old token is still good', async () => {
    const { api, server } = await openTestApi((_asked, response, index) => {
      if (index === 0) response.req.socket.destroy();
      else json(response, 200, { access_token: 'a2' });
    });
    expect(await refresh(api, OLD)).toMatchObject({ accessToken: 'a2' });
    expect(server.asked).toHaveLength(2);
  });

  it('refused means that the session is over', async () => {
    const { api } = await openTestApi((_asked, response) =>
      json(response, 401, { errcode: 'M_UNKNOWN_TOKEN', error: 'invalid refresh token old-refresh' }),
    );
    await expect(refresh(api, OLD)).rejects.toMatchObject({
      code: 'token_refused',
      message: expect.not.stringContaining('old-refresh') as string,
    });
  });

  it('wants an access token', async () => {
    const { api } = await openTestApi({ refresh_token: 'r2' });
    await expect(refresh(api, OLD)).rejects.toThrow(MalformedResponseError);
  });
});
