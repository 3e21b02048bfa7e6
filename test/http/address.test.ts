import { onTestFinished, describe, expect, it } from 'vitest';
import { parseCertificates } from '../../src/http/certificates.js';
import { openTransport, type Transport } from '../../src/http/transport.js';
import { AUTHORITY, ELSEWHERE, GOOD, KEY, SELF_SIGNED } from './certificates.js';
import { json, startLoopbackServer, type Respond } from './loopback-server.js';

const answer: Respond = (_asked, response) => json(response, 200, {});

describe('a request with an address', () => {
  it('goes there without a look-up, and the certificate is that of the name', async () => {
    const server = await startLoopbackServer(answer, { cert: ELSEWHERE, key: KEY });
    const url = `https://elsewhere.example:${String(server.port)}/a?b`;
    expect(await exchange({ url, address: '127.0.0.1' })).toMatchObject({ status: 200, url });
    expect(server.asked[0]).toMatchObject({
      path: '/a?b',
      headers: { host: `elsewhere.example:${String(server.port)}` },
    });
  });

  it('goes to an IPv6 address', async () => {
    const url = 'https://elsewhere.example:1/';
    const error = exchange({ url, address: '::1' });
    // nobody listens there, or this machine has no such address; a look-up would have found no name
    await expect(error).rejects.toMatchObject({
      message: expect.stringMatching(/refused|no route/) as string,
    });
  });

  it('is refused by a certificate of another name', async () => {
    const server = await startLoopbackServer(answer, { cert: ELSEWHERE, key: KEY });
    const url = `https://other.example:${String(server.port)}/`;
    await expect(exchange({ url, address: '127.0.0.1' })).rejects.toMatchObject({
      message: `GET ${url}: TLS certificate refused: it is not made out to other.example`,
    });
    expect(server.asked).toEqual([]);
  });

  it.each([
    ['127.0.0.1', '--federation-ca'],
    [undefined, '--cacert'],
  ])('to %s is told of the flag that trusts a certificate there: %s', async (address, flag) => {
    const server = await startLoopbackServer(answer, { cert: SELF_SIGNED, key: KEY });
    const transport = openTransport({});
    onTestFinished(() => transport.close());
    const url = `https://127.0.0.1:${String(server.port)}/`;
    await expect(transport.exchange({ method: 'GET', url, address })).rejects.toMatchObject({
      hint: expect.stringContaining(flag) as string,
    });
  });

  it('goes by the name in its Host header, where there is one', async () => {
    const server = await startLoopbackServer(answer, { cert: ELSEWHERE, key: KEY });
    const url = `https://elsewhere.example:${String(server.port)}/`;
    const headers = { host: 'elsewhere.example' };
    await exchange({ url, address: '127.0.0.1', headers });
    expect(server.asked[0]?.headers).toMatchObject({ host: 'elsewhere.example' });
  });

  it('has a certificate of its own for each name at one address', async () => {
    const server = await startLoopbackServer(answer, { cert: ELSEWHERE, key: KEY });
    const transport = open();
    const send = (name: string) =>
      transport.exchange({
        method: 'GET',
        url: `https://${name}:${String(server.port)}/`,
        address: '127.0.0.1',
      });
    await send('elsewhere.example');
    await expect(send('other.example')).rejects.toThrow('not made out to other.example');
    await send('elsewhere.example');
    expect(server.asked).toHaveLength(2);
  });

  it('has a certificate for the address if the name is one', async () => {
    const server = await startLoopbackServer(answer, { cert: GOOD, key: KEY });
    const url = `https://127.0.0.1:${String(server.port)}/`;
    expect(await exchange({ url, address: '127.0.0.1' })).toMatchObject({ status: 200 });
    const other = await startLoopbackServer(answer, { cert: ELSEWHERE, key: KEY });
    const otherUrl = `https://127.0.0.1:${String(other.port)}/`;
    await expect(exchange({ url: otherUrl, address: '127.0.0.1' })).rejects.toThrow('not made out to');
  });

  it('knows no proxy', async () => {
    const server = await startLoopbackServer(answer);
    const transport = open({ proxy: 'http://127.0.0.1:1' });
    const url = `http://elsewhere.example:${String(server.port)}/`;
    await transport.exchange({ method: 'GET', url, address: '127.0.0.1' });
    expect(server.asked).toHaveLength(1);
  });
});

it('a redirect is the answer, if none is to be followed', async () => {
  const server = await startLoopbackServer((_asked, response) => {
    response.writeHead(302, { location: 'https://other.example/' }).end();
  });
  expect(await exchange({ url: server.url, redirects: 'none' })).toMatchObject({
    status: 302,
    headers: { location: 'https://other.example/' },
  });
});

function exchange(request: Omit<Parameters<Transport['exchange']>[0], 'method'>) {
  return open().exchange({ method: 'GET', ...request });
}

function open(options: Parameters<typeof openTransport>[0] = {}): Transport {
  const transport = openTransport({ trusted: parseCertificates(AUTHORITY), ...options });
  onTestFinished(() => transport.close());
  return transport;
}
