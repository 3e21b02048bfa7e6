/** How long connections live, and who gets them, seen from servers on loopback. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { NetworkError } from '../../src/errors.js';
import { UnsentError } from '../../src/http/network-error.js';
import { openTransport, type Transport } from '../../src/http/transport.js';
import { startLoopbackServer, type Asked } from './loopback-server.js';

afterEach(() => {
  vi.useRealTimers();
});

function open(): Transport {
  const transport = openTransport({});
  onTestFinished(() => transport.close());
  return transport;
}

interface RawServer {
  readonly url: string;
  readonly sockets: readonly Socket[];
}

/** Answers the n-th request of the m-th connection with the bytes that `answer` gives. */
async function startRawServer(answer: (request: number, connection: number) => string): Promise<RawServer> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const connection = sockets.push(socket) - 1;
    let request = 0;
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(answer(request++, connection)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, sockets };
}

const EMPTY = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const withHeader = (line: string): string => EMPTY.replace('\r\n', `\r\n${line}\r\n`);

describe('a connection', () => {
  it.each([
    ['closes', withHeader('connection: close')],
    ['speaks an older HTTP', EMPTY.replace('1.1', '1.0')],
    ['waits for a shorter time than is safe', withHeader('keep-alive: timeout=1')],
    ['says more than was asked', `${EMPTY}x`],
  ])('is not used again when the server %s', async (_name, answer) => {
    const server = await startRawServer(() => answer);
    const transport = open();
    for (let count = 0; count < 2; count += 1) await transport.exchange({ method: 'GET', url: server.url });
    expect(server.sockets).toHaveLength(2);
  });

  it('is used again, also after a body in chunks', async () => {
    const server = await startRawServer(
      () => 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    );
    const transport = open();
    for (let count = 0; count < 3; count += 1) {
      expect(await transport.exchange({ method: 'GET', url: server.url })).toMatchObject({ body: '{}' });
    }
    expect(server.sockets).toHaveLength(1);
  });

  it('is ended before the server says that it will end it', async () => {
    const server = await startRawServer(() => withHeader('keep-alive: timeout=2'));
    const transport = open();
    await transport.exchange({ method: 'GET', url: server.url });
    const [first] = server.sockets;
    if (first) await once(first, 'end');
    await transport.exchange({ method: 'GET', url: server.url });
    expect(server.sockets).toHaveLength(2);
  });

  it('that the server closed meanwhile is replaced by a new one', async () => {
    const server = await startRawServer(
      (_request, connection) => `${EMPTY.replace('200', `20${connection}`)}`,
    );
    const transport = open();
    await transport.exchange({ method: 'GET', url: server.url });
    const [first] = server.sockets;
    first?.end();
    if (first) await once(first, 'close'); // our side has hung up, too
    expect((await transport.exchange({ method: 'GET', url: server.url })).status).toBe(201);
  });

  it('that the server closes instead of an answer may have carried the request', async () => {
    let asked = 0;
    const server = await startLoopbackServer((_asked, response) => {
      asked += 1;
      if (asked === 1) response.end();
      else response.socket?.destroy();
    });
    const transport = open();
    const request = { method: 'PUT', url: server.url, body: '{}' } as const;
    await transport.exchange(request);
    const error: unknown = await transport.exchange(request).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).not.toBeInstanceOf(UnsentError);
    expect(error).toMatchObject({ retryable: true });
  });

  it('that says something unasked is hung up on', async () => {
    const server = await startRawServer(() => EMPTY);
    await open().exchange({ method: 'GET', url: server.url });
    const [first] = server.sockets;
    first?.write(EMPTY);
    if (first) await once(first, 'close');
    expect(first?.destroyed).toBe(true);
  });

  it('is one for each exchange at the same time', async () => {
    const held: (() => void)[] = [];
    const ports = new Set<number | undefined>();
    const server = await startLoopbackServer((_asked: Asked, response) => {
      ports.add(response.socket?.remotePort);
      held.push(() => response.end());
      if (held.length === 3) for (const release of held) release();
    });
    const transport = open();
    await Promise.all([1, 2, 3].map(() => transport.exchange({ method: 'GET', url: server.url })));
    expect(ports.size).toBe(3);
  });

  it('whose server answers before it has read the request is not used again', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.pause(); // what has not been read is the rest of the request
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const transport = open();
    const request = { method: 'PUT', url, body: 'x'.repeat(20_000_000) } as const;
    for (let count = 0; count < 2; count += 1) expect((await transport.exchange(request)).status).toBe(413);
    expect(sockets).toHaveLength(2);
  });
});

describe('connecting', () => {
  it('has a time limit of its own, TLS included', async () => {
    const server = await startRawServer(() => ''); // never says a word of TLS
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { host, href } = new URL(server.url.replace('http:', 'https:'));
    const visit = open().exchange({ method: 'GET', url: href });
    const failed = visit.catch((error: unknown) => error);
    await vi.waitUntil(() => server.sockets.length === 1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await failed).toBeInstanceOf(UnsentError);
    await expect(visit).rejects.toThrow(`GET ${href}: connecting to ${host} timed out`);
  });

  it('ends with its request', async () => {
    const server = await startRawServer(() => '');
    const stop = new AbortController();
    const request = { method: 'GET', url: server.url.replace('http:', 'https:') } as const;
    const failed = open()
      .exchange(request, stop.signal)
      .catch((error: unknown) => error);
    await vi.waitUntil(() => server.sockets.length === 1);
    const reason = new Error('not needed any more');
    stop.abort(reason);
    expect(await failed).toBe(reason);
    const [socket] = server.sockets;
    if (socket?.closed === false) await once(socket, 'close');
  });

  it('ends with the transport, and none is made after that', async () => {
    const server = await startRawServer(() => '');
    const transport = open();
    const request = { method: 'GET', url: server.url.replace('http:', 'https:') } as const;
    const failed = transport.exchange(request).catch((error: unknown) => error);
    await vi.waitUntil(() => server.sockets.length === 1);
    await transport.close();
    expect(await failed).toBeInstanceOf(UnsentError);
    await expect(transport.exchange(request)).rejects.toBeInstanceOf(UnsentError);
    expect(server.sockets).toHaveLength(1);
  });
});
