import { describe, expect, it } from 'vitest';
import { openTestServer } from '../../kit.js';

describe('an endpoint for other servers', () => {
  it.each([
    ['GET', '/_matrix/federation/v1/nowhere', 404],
    ['GET', '/_matrix/federation/v2/version', 404],
    ['PUT', '/_matrix/federation/v2/invite/!r:hs.test/$e', 404],
    ['GET', '/_matrix/key/v2/nowhere', 404],
    ['POST', '/_matrix/federation/v1/version', 405],
    ['PUT', '/_matrix/key/v2/server', 405],
    ['DELETE', '/_matrix/key/v2/query', 405],
    ['GET', '/_matrix/federation/v1/send/1', 405],
    ['POST', '/_matrix/federation/v1/user/devices/@a:hs.test', 405],
    ['PUT', '/_matrix/federation/v1/query/profile', 405],
  ])('that is not there: %s %s is %i', async (method, path, status) => {
    const server = await openTestServer();
    const reply = await server.call(method, path);
    expect([reply.status, reply.json.errcode]).toEqual([status, 'M_UNRECOGNIZED']);
    expect(reply.headers['content-type']).toMatch(/^application\/json/);
  });
});
