import { describe, expect, it } from 'vitest';
import { logout } from '../../src/client/logout.js';
import { MalformedResponseError } from '../../src/errors.js';
import { openTestApi } from './test-api.js';

describe('logout', () => {
  it('ends the session of its token', async () => {
    const { api, server } = await openTestApi({});
    await logout(api);
    expect(server.asked).toMatchObject([
      {
        method: 'POST',
        path: '/_matrix/client/v3/logout',
        body: '{}',
        headers: { authorization: 'Bearer tok' },
      },
    ]);
  });

  it('is not over because some proxy says 200', async () => {
    const { api } = await openTestApi((_asked, response) => response.end('<html>'));
    await expect(logout(api)).rejects.toThrow(MalformedResponseError);
  });
});
