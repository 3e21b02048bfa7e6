import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import type { Answer } from '../../src/http/request.js';
import { parseCertificates } from '../../src/http/certificates.js';
import { openTransport, type TransportOptions } from '../../src/http/transport.js';
import * as certificates from './certificates.js';
import { json, startLoopbackServer } from './loopback-server.js';

interface Proxy {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `CONNECT elsewhere.example:443` or `GET http://elsewhere.example/`, and the credentials after it. */
  readonly asked: string[];
}

/** A proxy that leads every name to one port on loopback, or refuses all. */
async function startProxy(target: { port: number } | { refusal: number }): Promise<Proxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const note = (request: IncomingMessage): void => {
    const line = `${request.method ?? ''} ${request.url ?? ''}`;
    asked.push([line, request.headers['proxy-authorization'] ?? []].flat().join(' '));
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    note(request);
    if ('refusal' in target) response.writeHead(target.refusal).end();
    else json(response, 200, { through: request.url });
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    note(request);
    sockets.add(socket);
    socket.on('error', () => undefined);
    if ('refusal' in target) {
      socket.end(`HTTP/1.1 ${String(target.refusal)} No\r\n\r\n`);
      return;
    }
    const onward = connect(target.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => undefined);
    sockets.add(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return { host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`, asked };
}

function startElsewhere() {
  return startLoopbackServer((asked, response) => json(response, 200, { path: asked.path }), {
    cert: certificates.ELSEWHERE,
    key: certificates.KEY,
  });
}

async function visit(url: string, options: TransportOptions): Promise<Answer> {
  const transport = openTransport({ trusted: parseCertificates(certificates.AUTHORITY), ...options });
  onTestFinished(() => transport.close());
  return transport.exchange({ method: 'GET', url, accessToken: 'tok' });
}

describe('a proxy', () => {
  it('is a tunnel for https, and sees neither path nor token', async () => {
    const elsewhere = await startElsewhere();
    const proxy = await startProxy(elsewhere);
    const answer = await visit('https://elsewhere.example/x', { httpsProxy: `http://${proxy.host}` });
    expect(answer.body).toBe('{"path":"/x"}');
    expect(proxy.asked).toEqual(['CONNECT elsewhere.example:443']);
    expect(elsewhere.asked[0]?.headers.authorization).toBe('Bearer tok');
  });

  it('gets plain http as proxies know it', async () => {
    const proxy = await startProxy({ port: 0 });
    const answer = await visit('http://elsewhere.example/x?y', { proxy: proxy.host });
    expect(answer.body).toBe('{"through":"http://elsewhere.example/x?y"}');
    expect(proxy.asked).toEqual(['GET http://elsewhere.example/x?y']);
  });

  it('gets the credentials of its URL', async () => {
    const elsewhere = await startElsewhere();
    const proxy = await startProxy(elsewhere);
    await visit('https://elsewhere.example/x', { httpsProxy: `http://me:p%40ss@${proxy.host}` });
    const credentials = Buffer.from('me:p@ss').toString('base64');
    expect(proxy.asked).toEqual([`CONNECT elsewhere.example:443 Basic ${credentials}`]);
  });

  it('is passed by for loopback and for NO_PROXY', async () => {
    const proxy = await startProxy({ refusal: 500 });
    const server = await startLoopbackServer((_asked, response) => json(response, 200, {}));
    expect((await visit(server.url, { proxy: `http://${proxy.host}` })).status).toBe(200);
    expect(proxy.asked).toEqual([]);
  });

  it.each([403, 407, 502])('that refuses a tunnel with %i is named', async (refusal) => {
    const proxy = await startProxy({ refusal });
    await expect(
      visit('https://elsewhere.example/x', { httpsProxy: `http://me:pw@${proxy.host}` }),
    ).rejects.toMatchObject({
      code: 'network',
      message: expect.stringMatching(`the proxy ${proxy.host} refused: .*${String(refusal)}`) as string,
      hint: 'check --proxy or HTTPS_PROXY',
      retryable: false,
    });
  });

  it('that wants credentials for plain http is named', async () => {
    const proxy = await startProxy({ refusal: 407 });
    await expect(visit('http://elsewhere.example/x', { proxy: proxy.host })).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining(`the proxy ${proxy.host} refused`) as string,
    });
  });

  it('that is not there is named', async () => {
    const gone = await startLoopbackServer(() => undefined);
    await gone.stop();
    const host = `127.0.0.1:${String(gone.port)}`;
    await expect(visit('https://elsewhere.example/x', { proxy: `http://${host}` })).rejects.toMatchObject({
      message: `GET https://elsewhere.example/x: connection refused by the proxy ${host}`,
      retryable: true,
    });
  });

  it.each(['socks5://127.0.0.1:1080', 'http://[', 'http://%zz:x@127.0.0.1'])(
    'that is none (%s) is refused, and not shown',
    async (proxy) => {
      const visited = visit('https://elsewhere.example/x', { httpsProxy: proxy });
      await expect(visited).rejects.toThrow(InvalidInputError);
      await expect(visited).rejects.toThrow('the proxy is no http or https URL');
      expect(() => openTransport({ proxy })).toThrow('the proxy is no http or https URL');
    },
  );

  it('whose password stands on the command line is refused, and not shown', () => {
    expect(() => openTransport({ proxy: 'http://me:hunter2@proxy.example' })).toThrow(
      /^(?!.*hunter2).*user info/,
    );
  });
});
