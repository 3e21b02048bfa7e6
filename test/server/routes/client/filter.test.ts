import { describe, expect, it } from 'vitest';
import { openTestServer } from '../../kit.js';

describe('/user/{userId}/filter', () => {
  it('keeps a filter and gives it back', async () => {
    const server = await openTestServer();
    const { alice } = server;
    const token = alice.accessToken;
    const url = `/v3/user/${encodeURIComponent(alice.userId)}/filter`;
    const filter = { room: { rooms: [] } };
    const { filter_id } = (await server.call('POST', url, { token, body: filter })).json;
    expect(filter_id).toBe('0');
    expect((await server.call('GET', `${url}/${filter_id}`, { token })).json).toEqual(filter);
    expect((await server.call('GET', `${url}/1`, { token })).json.errcode).toBe('M_NOT_FOUND');
  });

  it('is for the caller only', async () => {
    const server = await openTestServer();
    const url = `/v3/user/${server.bob.userId}/filter`;
    const token = server.alice.accessToken;
    expect((await server.call('POST', url, { token, body: {} })).json.errcode).toBe('M_FORBIDDEN');
    expect((await server.call('GET', `${url}/0`, { token })).json.errcode).toBe('M_FORBIDDEN');
  });
});
