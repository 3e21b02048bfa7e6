import { describe, expect, it } from 'vitest';
import { discover, parseDiscoveredUrl, type Discovery } from '../../src/client/well-known.js';
import { InterruptedError, MalformedResponseError, MatrixError, NetworkError } from '../../src/errors.js';
import { HttpClient } from '../../src/http/client.js';
import type { HttpRequest } from '../../src/http/request.js';
import type { Transport } from '../../src/http/transport.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { json, startLoopbackServer } from '../http/loopback-server.js';
import { TurnedClock } from '../http/turned-clock.js';
import { openTestHttp } from './test-api.js';

const WELL_KNOWN = 'https://hs.example/.well-known/matrix/client';
const VERSIONS = '{"versions":["v1.15"]}';

type Web = Readonly<Record<string, string | readonly [status: number, body: string]>>;

/**
 * Port 443 cannot be had in a test, so the rules are tried on a transport that knows a few URLs: a string is
 * the body of a 200, and where nothing stands nothing answers.
 */
async function find(serverName: string, web: Web): Promise<{ found: Discovery; asked: HttpRequest[] }> {
  const asked: HttpRequest[] = [];
  const transport: Transport = {
    exchange(request) {
      asked.push(request);
      const page = web[request.url];
      if (page === undefined) return Promise.reject(new NetworkError(request, `nobody at ${request.url}`));
      const [status, body] = typeof page === 'string' ? [200, page] : page;
      return Promise.resolve({ status, body, headers: {}, url: request.url });
    },
    close: () => Promise.resolve(),
  };
  const http = new HttpClient({
    transport,
    clock: new TurnedClock(),
    chance: { fraction: () => 0 },
    policy: { retries: 2, maxWaitMs: 0 },
  });
  return { found: await discover(http, parseServerName(serverName)), asked };
}

const naming = (baseUrl: unknown): string => JSON.stringify({ 'm.homeserver': { base_url: baseUrl } });

describe('discover', () => {
  const finds: [name: string, serverName: string, web: Web, baseUrl: string][] = [
    [
      'the homeserver that .well-known names',
      'hs.example',
      {
        [WELL_KNOWN]: naming('https://matrix.hs.example/base/'),
        'https://matrix.hs.example/base/_matrix/client/versions': VERSIONS,
      },
      'https://matrix.hs.example/base',
    ],
    [
      'it without the port of the server name',
      'hs.example:8448',
      {
        [WELL_KNOWN]: naming('https://matrix.hs.example'),
        'https://matrix.hs.example/_matrix/client/versions': VERSIONS,
      },
      'https://matrix.hs.example',
    ],
    [
      'the server itself where there is no .well-known',
      'hs.example',
      { [WELL_KNOWN]: [404, '<html>'], 'https://hs.example/_matrix/client/versions': VERSIONS },
      'https://hs.example',
    ],
    [
      'the server itself at its port where nobody answers for .well-known',
      'hs.example:8448',
      { 'https://hs.example:8448/_matrix/client/versions': VERSIONS },
      'https://hs.example:8448',
    ],
    [
      'a homeserver under development, over https if it can',
      'localhost:8448',
      {
        'https://localhost:8448/_matrix/client/versions': VERSIONS,
        'http://localhost:8448/_matrix/client/versions': VERSIONS,
      },
      'https://localhost:8448',
    ],
    [
      'a homeserver under development, over http if it must',
      '127.0.0.1:8008',
      { 'http://127.0.0.1:8008/_matrix/client/versions': VERSIONS },
      'http://127.0.0.1:8008',
    ],
    [
      'a homeserver under development, whatever else is at port 443',
      '[::1]:8008',
      {
        'https://[::1]/.well-known/matrix/client': 'It works!',
        'http://[::1]:8008/_matrix/client/versions': VERSIONS,
      },
      'http://[::1]:8008',
    ],
    [
      'plain http on loopback, where .well-known names it',
      'hs.example',
      {
        [WELL_KNOWN]: naming('http://localhost:8008'),
        'http://localhost:8008/_matrix/client/versions': VERSIONS,
      },
      'http://localhost:8008',
    ],
  ];
  it.each(finds)('finds %s', async (_name, serverName, web, baseUrl) => {
    expect((await find(serverName, web)).found).toEqual({
      found: true,
      baseUrl,
      versions: { versions: ['v1.15'], features: new Set() },
    });
  });

  const useless: [name: string, page: Web[string]][] = [
    ['an empty file', ''],
    ['no JSON', '<html>'],
    ['no homeserver', '{}'],
    ['a base_url that is no string', naming(7)],
    ['a redirect without a place', [302, '']],
    ['a failure', [500, '']],
    ['a refusal', [403, '{"m.homeserver":{"base_url":"https://matrix.hs.example"}}']],
  ];
  it.each(useless)('gives up without a guess on %s', async (_name, page) => {
    const { found, asked } = await find('hs.example', {
      [WELL_KNOWN]: page,
      'https://hs.example/_matrix/client/versions': VERSIONS,
    });
    expect(found).toMatchObject({ found: false, reason: expect.stringContaining(WELL_KNOWN) as string });
    expect(asked).toHaveLength(1);
  });

  it('gives up where nothing is, without plain http and without repeating itself', async () => {
    const { found, asked } = await find('hs.example', {});
    expect(found).toEqual({ found: false, reason: `nobody at ${WELL_KNOWN}` });
    expect(asked.map(({ url }) => url)).toEqual([WELL_KNOWN, 'https://hs.example/_matrix/client/versions']);
  });

  it('lets only .well-known be redirected anywhere, and shows no token', async () => {
    const { asked } = await find('hs.example', { [WELL_KNOWN]: [404, ''] });
    expect(asked.map(({ redirects }) => redirects)).toEqual(['anywhere', undefined]);
    expect(asked.map(({ accessToken }) => accessToken)).toEqual([undefined, undefined]);
    expect(asked.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 5000]);
  });

  const errors: [name: string, web: Web, error: new (...given: never[]) => Error][] = [
    ['plain http', { [WELL_KNOWN]: naming('http://matrix.hs.example') }, MalformedResponseError],
    ['no URL', { [WELL_KNOWN]: naming('matrix.hs.example') }, MalformedResponseError],
    ['user information', { [WELL_KNOWN]: naming('https://u:p@hs.example') }, MalformedResponseError],
    ['nobody', { [WELL_KNOWN]: naming('https://matrix.hs.example') }, NetworkError],
    [
      'no homeserver',
      {
        [WELL_KNOWN]: naming('https://matrix.hs.example'),
        'https://matrix.hs.example/_matrix/client/versions': [404, 'nothing here'],
      },
      MatrixError,
    ],
    [
      'another kind of server',
      {
        [WELL_KNOWN]: naming('https://matrix.hs.example'),
        'https://matrix.hs.example/_matrix/client/versions': '<html>',
      },
      MalformedResponseError,
    ],
  ];
  it.each(errors)('stops when .well-known names %s', async (_name, web, error) => {
    const more = { ...web, 'https://hs.example/_matrix/client/versions': VERSIONS };
    await expect(find('hs.example', more)).rejects.toThrow(error);
  });

  it('finds a real homeserver on loopback', async () => {
    const server = await startLoopbackServer((_asked, response) =>
      json(response, 200, { versions: ['v1.1'] }),
    );
    const found = await discover(openTestHttp(), parseServerName(`127.0.0.1:${String(server.port)}`));
    expect(found).toMatchObject({ found: true, baseUrl: server.url });
  });

  it('ends with the reason of the signal', async () => {
    const server = await startLoopbackServer(() => undefined);
    const stop = new AbortController();
    const name = parseServerName(`127.0.0.1:${String(server.port)}`);
    const found = discover(openTestHttp(), name, stop.signal);
    await server.arrived(1);
    stop.abort(new InterruptedError('SIGINT'));
    await expect(found).rejects.toEqual(new InterruptedError('SIGINT'));
  });
});

describe('parseDiscoveredUrl', () => {
  it('names who said so, and what', () => {
    expect(() => parseDiscoveredUrl('http://hs.example', 'POST https://a/login')).toThrow(
      'POST https://a/login names a homeserver that is no https URL: "http://hs.example"',
    );
  });

  it('does not repeat user information, and calls it that', () => {
    expect(() => parseDiscoveredUrl('https://u:geheim@hs.example', 'GET x')).toThrow(
      /^GET x names a homeserver that has user information in its URL$/,
    );
    expect(() => parseDiscoveredUrl('u:geheim@hs.example', 'GET x')).toThrow(/^(?!.*geheim)/);
  });
});
