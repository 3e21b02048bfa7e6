import { describe, expect, it } from 'vitest';
import type { TokenSource } from '../../src/client/api.js';
import { openClientApi } from '../../src/client/open.js';
import {
  InvalidInputError,
  MalformedResponseError,
  MatrixError,
  NotLoggedInError,
  RateLimitedError,
} from '../../src/errors.js';
import { jsonTextOf } from '../../src/wire/json.js';
import { json, type Respond } from '../http/loopback-server.js';
import { fixedToken, openTestApi, openTestHttp } from './test-api.js';

const WHOAMI = { method: 'GET', path: '/v3/account/whoami' } as const;

describe('a call', () => {
  it('goes below the homeserver URL, path kept, with the query encoded and the token in its header', async () => {
    const { api, server } = await openTestApi({}, { basePath: '/base' });
    await api.call({ ...WHOAMI, method: 'PUT', query: { a: 'b&c=d', e: 'ü' }, body: jsonTextOf({ x: 1 }) });
    expect(server.asked).toMatchObject([
      {
        method: 'PUT',
        path: '/base/_matrix/client/v3/account/whoami?a=b%26c%3Dd&e=%C3%BC',
        body: '{"x":1}',
        headers: { authorization: 'Bearer tok' },
      },
    ]);
    expect(api.baseUrl).toBe(`${server.url}/base`);
  });

  it('gives the body as it came, and its place without the query', async () => {
    const { api, server } = await openTestApi((_asked, response) =>
      response.end('{"n":12345678901234567890} '),
    );
    const answer = await api.call({ ...WHOAMI, query: { since: 's' } });
    expect(answer).toMatchObject({
      method: 'GET',
      url: `${server.url}/_matrix/client/v3/account/whoami`,
      body: '{"n":12345678901234567890} ',
      attempts: 1,
      elapsedMs: 0,
      secrets: ['tok'],
    });
  });

  it('shows no token where none is wanted', async () => {
    const { api, server } = await openTestApi({});
    await api.call({ ...WHOAMI, auth: 'none' });
    expect(server.asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it('is not made without a token', async () => {
    const { api, server } = await openTestApi({}, { tokens: undefined });
    await expect(api.call(WHOAMI)).rejects.toThrow(NotLoggedInError);
    expect(server.asked).toEqual([]);
  });

  it('is not made with a token of odd bytes, which is not shown', async () => {
    const { api, server } = await openTestApi({}, { tokens: fixedToken('s3cret\r\nX: y') });
    const call = api.call(WHOAMI);
    await expect(call).rejects.toThrow(InvalidInputError);
    await expect(call).rejects.not.toThrow(/s3cret/);
    expect(server.asked).toEqual([]);
  });

  it('ends with the reason of the signal', async () => {
    const { api, server } = await openTestApi(() => undefined);
    const stop = new AbortController();
    const called = api.call(WHOAMI, stop.signal);
    await server.arrived(1);
    stop.abort(new Error('enough'));
    await expect(called).rejects.toThrow('enough');
  });
});

describe('a refused token', () => {
  /** Refuses every token but `good`. */
  const onlyGood: Respond = ({ headers }, response) => {
    if (headers.authorization === 'Bearer good-token') json(response, 200, {});
    else json(response, 401, { errcode: 'M_UNKNOWN_TOKEN', error: 'expired', soft_logout: true });
  };

  function renewing(...renewals: (string | undefined)[]): TokenSource & { readonly refused: string[] } {
    const refused: string[] = [];
    return {
      refused,
      current: () => Promise.resolve('old-token'),
      renew(token) {
        refused.push(token);
        return Promise.resolve(renewals.shift());
      },
    };
  }

  it('is renewed once, and the same request made again', async () => {
    const tokens = renewing('good-token');
    const { api, server } = await openTestApi(onlyGood, { tokens });
    const call = { method: 'PUT', path: '/v3/sendToDevice/t/txn', body: jsonTextOf({ a: 1 }) } as const;
    expect(await api.call(call)).toMatchObject({ attempts: 2 });
    expect(tokens.refused).toEqual(['old-token']);
    const [first, second] = server.asked;
    expect(second).toEqual({ ...first, headers: { ...first?.headers, authorization: 'Bearer good-token' } });
  });

  it('is not renewed twice', async () => {
    const tokens = renewing('bad-token', 'good-token');
    const { api, server } = await openTestApi(onlyGood, { tokens });
    await expect(api.call(WHOAMI)).rejects.toMatchObject({ code: 'token_refused', softLogout: true });
    expect(server.asked).toHaveLength(2);
  });

  it('that cannot be renewed is an error that says what to do', async () => {
    const { api } = await openTestApi(onlyGood, { tokens: renewing(undefined) });
    await expect(api.call(WHOAMI)).rejects.toMatchObject({
      code: 'token_refused',
      errcode: 'M_UNKNOWN_TOKEN',
      softLogout: true,
      hint: expect.stringContaining('mx2s login') as string,
    });
  });

  it('is not renewed for another errcode', async () => {
    const tokens = renewing('good-token');
    const { api } = await openTestApi(
      (_asked, response) => json(response, 401, { errcode: 'M_USER_LOCKED', soft_logout: true }),
      { tokens },
    );
    await expect(api.call(WHOAMI)).rejects.toMatchObject({ code: 'refused', errcode: 'M_USER_LOCKED' });
    expect(tokens.refused).toEqual([]);
  });

  it('is not renewed by a call without one', async () => {
    const tokens = renewing('good-token');
    const { api } = await openTestApi(onlyGood, { tokens });
    await expect(api.call({ ...WHOAMI, auth: 'none' })).rejects.toThrow(MatrixError);
    expect(tokens.refused).toEqual([]);
  });
});

describe('an answer that is none', () => {
  it('a rate limit beyond patience is a RateLimitedError', async () => {
    const { api } = await openTestApi((_asked, response) =>
      json(response, 429, {}, { 'retry-after': '3600' }),
    );
    await expect(api.call(WHOAMI)).rejects.toThrow(RateLimitedError);
  });

  it('a failure of the server is tried again, then a MatrixError', async () => {
    const { api, server } = await openTestApi((_asked, response) => json(response, 500, { Err: '' }));
    await expect(api.call(WHOAMI)).rejects.toMatchObject({
      code: 'server_error',
      status: 500,
      retryable: true,
    });
    expect(server.asked).toHaveLength(3);
  });

  it('a status that no homeserver gives is malformed', async () => {
    const { api } = await openTestApi((_asked, response) => response.writeHead(304).end());
    await expect(api.call(WHOAMI)).rejects.toThrow(MalformedResponseError);
  });

  it('nobody there is a NetworkError with the URL', async () => {
    const { api, server } = await openTestApi({});
    await server.stop();
    await expect(api.call(WHOAMI)).rejects.toMatchObject({
      code: 'network',
      url: `${server.url}/_matrix/client/v3/account/whoami`,
    });
  });
});

describe('two APIs', () => {
  it('share the connections of one client', async () => {
    const { server } = await openTestApi({});
    const http = openTestHttp();
    const tokens = fixedToken('one');
    await openClientApi({ baseUrl: server.url, http, tokens }).call(WHOAMI);
    await openClientApi({ baseUrl: server.url, http, tokens: fixedToken('two') }).call(WHOAMI);
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two']);
  });
});
