import { describe, expect, it } from 'vitest';
import { openTestServer } from './kit.js';

const SEND = '/v3/sendToDevice/org.example.x/1';

describe('every answer', () => {
  it.each([
    ['GET', '/versions', 200],
    ['GET', '/v3/account/whoami', 401],
    ['GET', '/v3/nowhere', 404],
    ['POST', '/versions', 405],
    ['GET', '/v3/profile/%ZZ', 400],
  ])('lets browsers in: %s %s', async (method, path, status) => {
    const server = await openTestServer();
    const reply = await server.call(method, path);
    expect(reply.status).toBe(status);
    expect(reply.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
      'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization',
      'content-type': expect.stringMatching(/^application\/json/),
    });
  });

  it.each(['/versions', SEND, '/v3/nowhere', '/v3/profile/%40%3Ahs.test'])(
    'lets a preflight through: OPTIONS %s',
    async (path) => {
      const server = await openTestServer();
      const headers = { origin: 'https://app.test', 'access-control-request-method': 'PUT' };
      const reply = await server.call('OPTIONS', path, { headers });
      expect([reply.status, reply.text]).toEqual([204, '']);
      expect(reply.headers['access-control-allow-origin']).toBe('*');
    },
  );
});

describe('what is not there', () => {
  it.each([
    ['GET', '/v3/nowhere', 404],
    ['GET', '/', 404],
    ['PUT', '/v3/rooms/!r:hs.test/send/m.room.message/1', 404],
    ['POST', SEND, 405],
    ['HEAD', SEND, 405],
    ['DELETE', '/v3/sync', 405],
    ['PATCH', '/v3/login', 405],
    ['PUT', '/_matrix/federation/v1/send/', 404],
    ['PUT', '/v3/sendToDevice/org.example.x/', 404],
    ['GET', '/_matrix/federation/v1/send/', 404],
  ])('%s %s is %i', async (method, path, status) => {
    const server = await openTestServer();
    const reply = await server.call(method, path);
    expect(reply.status).toBe(status);
    if (method !== 'HEAD') expect(reply.json.errcode).toBe('M_UNRECOGNIZED');
  });
});

describe('the access token', () => {
  it.each([
    ['missing', {}, 'M_MISSING_TOKEN', undefined],
    ['in another scheme', { authorization: 'Basic YTpi' }, 'M_MISSING_TOKEN', undefined],
    ['not known', { authorization: 'Bearer nobodys' }, 'M_UNKNOWN_TOKEN', false],
  ])('%s is 401', async (_what, headers, errcode, softLogout) => {
    const server = await openTestServer();
    const reply = await server.call('GET', '/v3/account/whoami', { headers });
    expect([reply.status, reply.json.errcode, reply.json.soft_logout]).toEqual([401, errcode, softLogout]);
  });

  it('is asked for before the body is looked at', async () => {
    const server = await openTestServer();
    const reply = await server.call('PUT', SEND, { body: 'nope' });
    expect(reply.json.errcode).toBe('M_MISSING_TOKEN');
  });
});

describe('a request body', () => {
  const deep = `{"messages":${'['.repeat(200)}${']'.repeat(200)}}`;
  const big = (bytes: number) => `{"messages":{"@a:hs.test":{"D":{"x":"${'x'.repeat(bytes - 8)}"}}}}`;

  it.each([
    ['not JSON', 'nope', 400, 'M_NOT_JSON'],
    ['empty', '', 400, 'M_NOT_JSON'],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400, 'M_NOT_JSON'],
    ['nested too deeply', deep, 400, 'M_NOT_JSON'],
    ['no object', '[]', 400, 'M_BAD_JSON'],
    ['with a key that stands twice', '{"messages":{},"messages":{}}', 400, 'M_BAD_JSON'],
    [
      'with a key that stands twice, written differently',
      '{"messages":{"@a:hs.test":{"D":{"a":1,"\\u0061":2}}}}',
      400,
      'M_BAD_JSON',
    ],
    ['without messages', '{}', 400, 'M_MISSING_PARAM'],
    ['with messages that are no object', '{"messages":[]}', 400, 'M_BAD_JSON'],
    ['with a user that is no object', '{"messages":{"@a:hs.test":1}}', 400, 'M_BAD_JSON'],
    ['with content that is no object', '{"messages":{"@a:hs.test":{"D":[]}}}', 400, 'M_BAD_JSON'],
    ['with content that is null', '{"messages":{"@a:hs.test":{"D":null}}}', 400, 'M_BAD_JSON'],
    ['with content of 65537 bytes', big(65_537), 413, 'M_TOO_LARGE'],
    ['longer than 8 MiB', big(8 * 1024 * 1024), 413, 'M_TOO_LARGE'],
  ])('%s is refused', async (_what, body, status, errcode) => {
    const server = await openTestServer();
    const reply = await server.call('PUT', SEND, { token: server.alice.accessToken, body });
    expect([reply.status, reply.json.errcode]).toEqual([status, errcode]);
  });

  it('may hold 65536 bytes of content for each device', async () => {
    const server = await openTestServer();
    const content = { x: 'x'.repeat(65_528) };
    const messages = { '@a:hs.test': { A: content, B: content, C: content } };
    expect((await server.send(server.alice, 'org.example.x', messages)).status).toBe(200);
  });

  it('is measured in canonical form', async () => {
    const server = await openTestServer();
    const call = (content: string) =>
      server.call('PUT', SEND, {
        token: server.alice.accessToken,
        body: `{"messages":{"@a:hs.test":{"D":${content}}}}`,
      });
    expect((await call(`{"x":"${'\\u0061'.repeat(60_000)}"}`)).status).toBe(200);
    expect((await call(`{"x":[${Array(5000).fill('1e15').join(',')}]}`)).status).toBe(413);
    expect((await call(`{"x":[1.5,"${'x'.repeat(65_536)}"]}`)).status).toBe(413);
  });

  it.each([
    undefined,
    'application/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    ';;;',
    'a/b; c=d',
  ])('is read as JSON, also when it is called %s', async (contentType) => {
    const server = await openTestServer();
    const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType };
    const reply = await server.call('PUT', SEND, {
      token: server.alice.accessToken,
      headers,
      body: '{"messages":{}}',
    });
    expect(reply.status).toBe(200);
  });

  it('may have "__proto__" and "constructor" for keys', async () => {
    const server = await openTestServer();
    const { alice } = server;
    const content = '{"__proto__":{"a":1},"constructor":{"prototype":2}}';
    const body = `{"messages":{"${alice.userId}":{"*":${content}}}}`;
    await server.call('PUT', SEND, { token: alice.accessToken, body });
    const reply = await server.sync(alice);
    expect(reply.text).toContain(`"content":${content}`);
  });
});

describe('a path', () => {
  it('may be encoded or not, and have a slash in an event type', async () => {
    const server = await openTestServer({ on: ['a/b=echo'] });
    await server.send(server.alice, 'a/b', { '@:hs.test': { '': {} } });
    expect(await server.waiting(server.alice)).toMatchObject([{ type: 'a/b' }]);
    for (const userId of [server.alice.userId, encodeURIComponent(server.alice.userId)]) {
      const body = { room: {} };
      const reply = await server.call('POST', `/v3/user/${userId}/filter`, {
        token: server.alice.accessToken,
        body,
      });
      expect(reply.json.filter_id).toBe('0');
    }
  });

  it('may have parts of 8000 characters', async () => {
    const server = await openTestServer();
    const put = (length: number) =>
      server.call('PUT', `/v3/sendToDevice/${'t'.repeat(length)}/1`, {
        token: server.alice.accessToken,
        body: { messages: {} },
      });
    expect((await put(8000)).status).toBe(200);
    expect((await put(9000)).status).toBe(400);
  });

  it.each(['v3', 'r0', 'unstable'])('of sendToDevice may begin with %s', async (version) => {
    const server = await openTestServer();
    const reply = await server.call('PUT', `/${version}/sendToDevice/t/1`, {
      token: server.alice.accessToken,
      body: { messages: {} },
    });
    expect(reply.status).toBe(200);
  });
});
