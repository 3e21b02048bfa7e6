import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InterruptedError, MalformedResponseError, NetworkError, RedirectError } from '../../src/errors.js';
import { UnsentError } from '../../src/http/network-error.js';
import { openTransport, type Transport, type TransportOptions } from '../../src/http/transport.js';
import { VERSION } from '../../src/version.js';
import { json, startLoopbackServer } from './loopback-server.js';

function open(options: TransportOptions = {}): Transport {
  const transport = openTransport(options);
  onTestFinished(() => transport.close());
  return transport;
}

/** A server that does with each socket what HTTP would not. */
async function startRawServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error,
  );
}

describe('a request', () => {
  it('goes out with our name, the token and what it holds', async () => {
    const server = await startLoopbackServer((_asked, response) => json(response, 200, {}));
    await open().exchange({
      method: 'PUT',
      url: `${server.url}/a%2Fb/%2A?x=%20y`,
      headers: { 'X-Extra': '1' },
      body: '{"é":1}',
      accessToken: 'tok',
    });
    expect(server.asked).toMatchObject([
      {
        method: 'PUT',
        path: '/a%2Fb/%2A?x=%20y',
        body: '{"é":1}',
        headers: {
          accept: 'application/json',
          authorization: 'Bearer tok',
          'content-length': '8',
          'content-type': 'application/json',
          'user-agent': `mx2s/${VERSION}`,
          'x-extra': '1',
        },
      },
    ]);
  });

  it('names no content type without a body, and takes the one it is given', async () => {
    const server = await startLoopbackServer((_asked, response) => json(response, 200, {}));
    const transport = open();
    await transport.exchange({ method: 'GET', url: server.url });
    await transport.exchange({
      method: 'POST',
      url: server.url,
      body: 'a=b',
      headers: { 'Content-Type': 'text/x' },
    });
    expect(server.asked.map(({ headers }) => headers['content-type'])).toEqual([undefined, 'text/x']);
  });

  it.each([
    ['x', 'a\r\ny: b'],
    ['x', 'a\nb'],
    ['x', 'a\0'],
    ['x', '\u20ac'],
    ['x y', 'a'],
    ['x:', 'a'],
  ])('never leaves with a header %j of %j, and the error does not show that', async (name, value) => {
    const server = await startLoopbackServer((_asked, response) => json(response, 200, {}));
    const error = await failure(
      open().exchange({ method: 'GET', url: server.url, headers: { [name]: `hidden${value}` } }),
    );
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).not.toContain('hidden');
    expect(server.asked).toEqual([]);
  });

  it('shares one connection with the next', async () => {
    const ports = new Set<number | undefined>();
    const server = await startLoopbackServer((_asked, response) => {
      ports.add(response.socket?.remotePort);
      json(response, 200, {});
    });
    const transport = open();
    for (let count = 0; count < 3; count += 1) await transport.exchange({ method: 'GET', url: server.url });
    expect(ports.size).toBe(1);
  });
});

describe('an answer', () => {
  it('comes with status, headers in lower case, body and place, whatever the status', async () => {
    const server = await startLoopbackServer((_asked, response) => {
      response.writeHead(418, [
        ['X-One', 'a'],
        ['X-Two', 'b'],
        ['X-Two', 'c'],
      ] as unknown as string[]);
      response.end('tea');
    });
    expect(await open().exchange({ method: 'GET', url: `${server.url}/pot?x=1` })).toMatchObject({
      status: 418,
      body: 'tea',
      url: `${server.url}/pot?x=1`,
      headers: { 'x-one': 'a', 'x-two': 'b, c' },
    });
  });

  it('is read as UTF-8, also where the network cuts a character in two', async () => {
    const server = await startLoopbackServer((_asked, response) => {
      const bytes = Buffer.concat([Buffer.from('\ufeffgrüß €'), Buffer.from([0xff])]);
      response.write(bytes.subarray(0, 6), () => response.end(bytes.subarray(6)));
    });
    expect((await open().exchange({ method: 'GET', url: server.url })).body).toBe('grüß €\ufffd');
  });

  it('that is too long is refused', async () => {
    const server = await startLoopbackServer((_asked, response) => response.end('x'.repeat(101)));
    const request = { method: 'GET', url: `${server.url}/x?secret`, maxBodyBytes: 100 } as const;
    const error = await failure(open().exchange(request));
    expect(error).toBeInstanceOf(MalformedResponseError);
    expect(error).toMatchObject({ at: `GET ${server.url}/x` });
    expect((await open().exchange({ ...request, maxBodyBytes: 101 })).body).toHaveLength(101);
  });

  it('that says an error at length is cut', async () => {
    const server = await startLoopbackServer((_asked, response) => {
      response.writeHead(502);
      response.end('x'.repeat(2_000_000));
    });
    const { status, body } = await open().exchange({ method: 'GET', url: server.url });
    expect([status, body.length]).toEqual([502, 1024 * 1024]);
  });
});

describe('time', () => {
  it('runs out on a server that never answers', async () => {
    const server = await startLoopbackServer(() => undefined);
    const error = await failure(open().exchange({ method: 'GET', url: server.url, timeoutMs: 30 }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).not.toBeInstanceOf(UnsentError);
    expect(error).toMatchObject({
      message: `GET ${server.url}/: no complete answer within 0.03 s`,
      retryable: true,
    });
  });

  it('runs out on a body that never ends', async () => {
    const server = await startLoopbackServer((_asked, response) => {
      response.writeHead(200);
      response.write('{');
    });
    const error = await failure(open().exchange({ method: 'GET', url: server.url, timeoutMs: 50 }));
    expect(error).toMatchObject({
      code: 'network',
      message: expect.stringContaining('within 0.05 s') as string,
    });
  });

  it('runs out over all redirects together', async () => {
    const server = await startLoopbackServer((_asked, response, index) => {
      if (index === 0) response.writeHead(307, { location: '/next' }).end();
    });
    const error = await failure(open().exchange({ method: 'GET', url: server.url, timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'network' });
    expect(server.asked).toHaveLength(2);
  });
});

describe('the abort signal', () => {
  it('ends a request that is under way with its own reason, and hangs up', async () => {
    let hungUp: Promise<unknown> | undefined;
    const server = await startLoopbackServer((_asked, response) => {
      hungUp = once(response, 'close');
    });
    const stop = new AbortController();
    const failed = failure(open().exchange({ method: 'GET', url: server.url }, stop.signal));
    await server.arrived(1);
    stop.abort(new InterruptedError('SIGINT'));
    expect(await failed).toEqual(new InterruptedError('SIGINT'));
    await hungUp;
  });

  it('ends a request before it leaves', async () => {
    const server = await startLoopbackServer((_asked, response) => json(response, 200, {}));
    const reason = new InterruptedError('SIGTERM');
    expect(
      await failure(open().exchange({ method: 'GET', url: server.url }, AbortSignal.abort(reason))),
    ).toBe(reason);
    const stop = new AbortController();
    const failed = failure(open().exchange({ method: 'GET', url: server.url }, stop.signal));
    stop.abort(reason);
    expect(await failed).toBe(reason);
    expect(server.asked).toEqual([]);
  });

  it('is left without a listener when the answer came', async () => {
    const server = await startLoopbackServer((_asked, response) => json(response, 200, {}));
    const transport = open();
    const { signal } = new AbortController();
    const added: string[] = [];
    const count = {
      add: signal.addEventListener.bind(signal),
      remove: signal.removeEventListener.bind(signal),
    };
    signal.addEventListener = (...given: Parameters<typeof count.add>) => {
      added.push('+');
      count.add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof count.remove>) => {
      added.push('-');
      count.remove(...given);
    };
    await transport.exchange({ method: 'GET', url: server.url }, signal);
    expect(added).toEqual(['+', '-']);
  });
});

describe('redirects', () => {
  it('on the same origin are followed with token and body', async () => {
    const server = await startLoopbackServer((asked, response) => {
      if (asked.path === '/from') response.writeHead(308, { location: '/to?x=1' }).end();
      else json(response, 200, {});
    });
    const answer = await open().exchange({
      method: 'PUT',
      url: `${server.url}/from`,
      body: '{}',
      accessToken: 'tok',
    });
    expect(answer).toMatchObject({ status: 200, url: `${server.url}/to?x=1` });
    expect(server.asked[1]).toMatchObject({
      method: 'PUT',
      body: '{}',
      headers: { authorization: 'Bearer tok' },
    });
  });

  it('to another origin never leave', async () => {
    const other = await startLoopbackServer((_asked, response) => json(response, 200, {}));
    const server = await startLoopbackServer((_asked, response) =>
      response.writeHead(302, { location: `${other.url}/x` }).end(),
    );
    const error = await failure(open().exchange({ method: 'GET', url: server.url, accessToken: 'tok' }));
    expect(error).toBeInstanceOf(RedirectError);
    expect(error).toMatchObject({ hint: expect.stringContaining(other.url) as string });
    expect(other.asked).toEqual([]);
  });

  it('of .well-known go anywhere, without the token', async () => {
    const other = await startLoopbackServer((_asked, response) => json(response, 200, { found: true }));
    const server = await startLoopbackServer((_asked, response) =>
      response.writeHead(302, { location: `${other.url}/x` }).end(),
    );
    const answer = await open().exchange({
      method: 'GET',
      url: server.url,
      accessToken: 'tok',
      redirects: 'anywhere',
    });
    expect(answer.body).toBe('{"found":true}');
    expect(other.asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it('in a circle end', async () => {
    const server = await startLoopbackServer((_asked, response) =>
      response.writeHead(302, { location: '/' }).end(),
    );
    const exchange = open().exchange({ method: 'GET', url: server.url, redirects: 'anywhere' });
    expect(await failure(exchange)).toBeInstanceOf(RedirectError);
    expect(server.asked).toHaveLength(6);
  });

  it('that name no place are answers', async () => {
    const server = await startLoopbackServer((_asked, response) => response.writeHead(304).end());
    expect((await open().exchange({ method: 'GET', url: server.url })).status).toBe(304);
  });
});

describe('a failure', () => {
  it('says that the connection was refused, and that nothing was sent', async () => {
    const server = await startLoopbackServer(() => undefined);
    await server.stop();
    const error = await failure(open().exchange({ method: 'GET', url: `${server.url}/x?access_token=tok` }));
    expect(error).toBeInstanceOf(UnsentError);
    expect(error).toMatchObject({
      code: 'network',
      message: `GET ${server.url}/x: connection refused by 127.0.0.1:${String(server.port)}`,
      url: `${server.url}/x`,
      retryable: true,
    });
  });

  it('says so for a name with several addresses too', async () => {
    const server = await startLoopbackServer(() => undefined);
    await server.stop();
    const error = await failure(
      open().exchange({ method: 'GET', url: `http://localhost:${String(server.port)}` }),
    );
    expect(error).toMatchObject({
      message: expect.stringContaining('connection refused by localhost') as string,
    });
  });

  it('says that the connection was cut off, and that something may have been sent', async () => {
    const server = await startLoopbackServer((_asked, response) => response.socket?.destroy());
    const error = await failure(open().exchange({ method: 'PUT', url: server.url, body: '{}' }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).not.toBeInstanceOf(UnsentError);
    expect(error).toMatchObject({ message: expect.stringContaining('cut off') as string, retryable: true });
  });

  it('says that a body was cut off', async () => {
    const url = await startRawServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')),
    );
    const error = await failure(open().exchange({ method: 'GET', url }));
    expect(error).toMatchObject({ message: expect.stringContaining('cut off') as string, retryable: true });
  });

  it('says that what answers does not speak HTTP', async () => {
    const url = await startRawServer((socket) => socket.write('220 mail.example ESMTP\r\n'));
    const error = await failure(open().exchange({ method: 'GET', url }));
    expect(error).toMatchObject({
      message: expect.stringContaining('does not speak HTTP') as string,
      retryable: false,
    });
  });
});

describe('close', () => {
  it('hangs up on every server, also in the middle of an exchange', async () => {
    const gone: Promise<unknown>[] = [];
    const server = await startLoopbackServer((asked, response) => {
      gone.push(once(response.req.socket, 'close'));
      if (asked.path !== '/held') json(response, 200, {});
    });
    const transport = open();
    const held = failure(transport.exchange({ method: 'GET', url: `${server.url}/held` }));
    await server.arrived(1);
    await transport.exchange({ method: 'GET', url: `${server.url}/idle` });
    await transport.close();
    expect(await held).toBeInstanceOf(NetworkError);
    await Promise.all(gone);
    expect(gone).toHaveLength(2);
  });

  it('has nothing to do when nothing was sent', async () => {
    await expect(openTransport({}).close()).resolves.toBeUndefined();
  });
});

describe('the wire log', () => {
  it('tells of each exchange, redirects and failures included', async () => {
    const server = await startLoopbackServer((asked, response) => {
      if (asked.path === '/a') response.writeHead(307, { location: '/b' }).end();
      else response.socket?.destroy();
    });
    const lines: string[] = [];
    const transport = open({ trace: (line) => lines.push(line) });
    await failure(transport.exchange({ method: 'GET', url: `${server.url}/a`, accessToken: 'secret-token' }));
    const log = lines.join('\n');
    expect(log).toMatch(/> GET .*\/a\n[^]*< 307\n[^]*> GET .*\/b\n[^]*\* .*cut off/);
    expect(log).not.toContain('secret-token');
  });
});
