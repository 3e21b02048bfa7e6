import { describe, expect, it } from 'vitest';
import { openFederated } from '../../federation-kit.js';
import { SERVER_USER } from '../../kit.js';

const PATH = '/_matrix/federation/v1/query/profile';

describe('a profile', () => {
  it.each([
    [`user_id=${encodeURIComponent(SERVER_USER)}`, 404, 'M_NOT_FOUND'],
    [`user_id=${encodeURIComponent(SERVER_USER)}&field=displayname`, 404, 'M_NOT_FOUND'],
    ['user_id=%40nobody%3Ahs.test', 404, 'M_NOT_FOUND'],
    ['field=displayname', 400, 'M_MISSING_PARAM'],
    ['user_id=%40alice%3Ahs.test', 200, undefined],
  ])('R-23: asked for with %s is %i', async (query, status, errcode) => {
    const { request } = await openFederated();
    const reply = await request({ method: 'GET', uri: `${PATH}?${query}` });
    expect([reply.status, reply.json.errcode]).toEqual([status, errcode]);
  });

  it('is told to other servers only', async () => {
    const { server } = await openFederated();
    expect((await server.call('GET', `${PATH}?user_id=%40alice%3Ahs.test`)).status).toBe(401);
  });
});
