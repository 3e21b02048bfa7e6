import { describe, expect, it } from 'vitest';
import { logout } from '../../src/client/logout.js';
import { openTestApi } from './test-api.js';

describe('logout', () => {
  it('ends this session, or all', async () => {
    const { api, server } = await openTestApi({});
    await logout(api);
    await logout(api, { all: true });
    expect(server.asked).toMatchObject([
      {
        method: 'POST',
        path: '/_matrix/client/v3/logout',
        body: '{}',
        headers: { authorization: 'Bearer tok' },
      },
      { method: 'POST', path: '/_matrix/client/v3/logout/all', body: '{}' },
    ]);
  });
});
