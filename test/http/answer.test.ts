/** What is taken for an answer, and what is not, seen from a server that sends whatever bytes it likes. */
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NetworkError } from '../../src/errors.js';
import { UnsentError } from '../../src/http/network-error.js';
import type { Answer } from '../../src/http/request.js';
import { openTransport } from '../../src/http/transport.js';

/** Asks a server that sends `text`, byte for byte, and then hangs up if `end` says so. */
async function ask(text: string, end?: 'end'): Promise<Answer> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      if (end === 'end') socket.end(text, 'latin1');
      else socket.write(text, 'latin1');
    });
  });
  const transport = openTransport({});
  onTestFinished(async () => {
    await transport.close();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  return transport.exchange({ method: 'GET', url });
}

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

describe('the body', () => {
  it.each<[string, string, string, 'end'?]>([
    ['as long as content-length says', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', 'abc'],
    ['nothing, if it says so', 'HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n', ''],
    ['that of its chunks', `${CHUNKED}2;x="y"\r\nab\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n`, 'ab0123456789'],
    ['all that comes, if nothing says more', 'HTTP/1.0 200\r\n\r\nabc', 'abc', 'end'],
    ['nothing after 204', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
    ['nothing after 304, whatever length it names', 'HTTP/1.1 304 \r\ncontent-length: 5\r\n\r\n', ''],
    [
      'that of the answer after the interim ones',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na',
      'a',
    ],
    [
      'that of the first answer, when there are two',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb',
      'a',
    ],
    ['without the rubbish after it', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na\0\0\0', 'a'],
  ])('is %s', async (_name, text, body, end) => {
    expect(await ask(text, end)).toMatchObject({ body });
  });

  it.each([
    'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab',
    `${CHUNKED}3\r\nabc\r\n0\r\n`,
    'HTTP/1.1 200 OK\r\nx',
    'HTTP/1.1 100 Continue\r\n\r\n',
    '',
  ])('that is cut off is none: %j', async (text) => {
    const error: unknown = await ask(text, 'end').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).not.toBeInstanceOf(UnsentError);
    expect(error).toMatchObject({ message: expect.stringContaining('cut off') as string, retryable: true });
  });
});

describe('headers', () => {
  const headersOf = async (lines: string) =>
    (await ask(`HTTP/1.1 200 OK\r\n${lines}\r\ncontent-length: 0\r\n\r\n`)).headers;

  it('have names in lower case and trimmed values, and each repeated one is joined', async () => {
    expect(
      await headersOf(
        'X-One:\t a b \r\nx-two:\r\nX-ONE: c\r\nset-cookie: d\r\nset-cookie: e\r\nage: 1\r\nage: 2',
      ),
    ).toMatchObject({ 'x-one': 'a b, c', 'x-two': '', 'set-cookie': 'd, e', age: '1, 2' });
  });

  it('are UTF-8', async () => {
    expect(await headersOf('x: gr\xc3\xbcn')).toMatchObject({ x: 'grün' });
  });

  it('may have the names of members that all objects have', async () => {
    expect(await headersOf('__proto__: a\r\nconstructor: b')).toMatchObject({
      constructor: 'b',
      ['__proto__']: 'a',
    });
  });
});

describe('no answer is', () => {
  it.each([
    ['another protocol, from its first byte', '\x15'],
    ['another version', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
    ['a switch to nothing', 'HTTP/1.1 101 Switching\r\n\r\n'],
    ['a header with a space before the colon', 'HTTP/1.1 200 OK\r\nx : 1\r\n\r\n'],
    ['a header with a bare line end', 'HTTP/1.1 200 OK\r\nx: 1\ny: 2\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na'],
    ['a length beside chunks', CHUNKED.replace('\r\n', '\r\ncontent-length: 1\r\n')],
    ['a chunk without size', `${CHUNKED};x\r\n`],
    ['a chunk longer than it says', `${CHUNKED}1\r\nab\r\n0\r\n\r\n`],
    ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(17_000)}`],
  ])('%s', async (_name, text) => {
    await expect(ask(text)).rejects.toMatchObject({
      message: expect.stringContaining('does not speak HTTP') as string,
      retryable: false,
    });
  });
});
