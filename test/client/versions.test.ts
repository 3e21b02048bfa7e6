import { describe, expect, it } from 'vitest';
import { versions } from '../../src/client/versions.js';
import { MalformedResponseError } from '../../src/errors.js';
import { openTestApi } from './test-api.js';

describe('versions', () => {
  it('reads versions, and the features that are on', async () => {
    const { api, server } = await openTestApi({
      versions: ['r0.6.1', 'v1.15', 7],
      unstable_features: { 'org.a': true, 'org.b': false, 'org.c': 'yes' },
    });
    expect(await versions(api)).toEqual({ versions: ['r0.6.1', 'v1.15'], features: new Set(['org.a']) });
    expect(server.asked).toMatchObject([
      { method: 'GET', path: '/_matrix/client/versions', headers: { authorization: 'Bearer tok' } },
    ]);
  });

  it('asks without a token where it is told to', async () => {
    const { api, server } = await openTestApi({ versions: [] }, { tokens: undefined });
    expect(await versions(api, { auth: 'none' })).toEqual({ versions: [], features: new Set() });
    expect(server.asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it.each(['<html>', '[]', '{}', '{"versions":"v1.1"}', ''])('refuses %j', async (body) => {
    const { api, server } = await openTestApi((_asked, response) => response.end(body));
    const asked = versions(api);
    await expect(asked).rejects.toThrow(MalformedResponseError);
    await expect(asked).rejects.toMatchObject({ at: `GET ${server.url}/_matrix/client/versions` });
  });
});
