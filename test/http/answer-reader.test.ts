import fc from 'fast-check';
import { get, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AnswerReader, CutOffError, HttpSyntaxError } from '../../src/http/answer-reader.js';

interface Read {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isDone: boolean;
  readonly keepsAlive: boolean;
  readonly keepAliveMs: number | undefined;
}

/** Reads an answer that comes in these pieces; `'end'` for a server that then sends no more. */
function read(pieces: readonly Uint8Array[], end?: 'end', method = 'GET'): Read {
  let head: { status: number; headers: Readonly<Record<string, string>> } | undefined;
  const body: Buffer[] = [];
  const reader = new AnswerReader(method, {
    onHead: (status, headers) => {
      expect(head).toBeUndefined();
      head = { status, headers: { ...headers } };
    },
    onData: (bytes) => {
      expect(head).toBeDefined();
      body.push(Buffer.from(bytes));
    },
  });
  for (const piece of pieces) reader.push(Buffer.from(piece));
  if (end === 'end') reader.end();
  const { isDone, keepsAlive, keepAliveMs } = reader;
  return {
    status: head?.status,
    headers: head?.headers ?? {},
    body: Buffer.concat(body).toString('latin1'),
    isDone,
    keepsAlive,
    keepAliveMs,
  };
}

const whole = (text: string, ...more: ['end'?, string?]): Read =>
  read([Buffer.from(text, 'latin1')], ...more);

describe('the length of a body', () => {
  it.each<[string, string, string, 'end'?]>([
    ['what content-length says', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', 'abc'],
    ['nothing, if it says so', 'HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n', ''],
    [
      'that of its chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x="y"\r\nab\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n',
      'ab0123456789',
    ],
    ['all that comes, if nothing says more', 'HTTP/1.0 200\r\n\r\nabc', 'abc', 'end'],
    ['nothing after 204', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
    ['nothing after 304, whatever length it names', 'HTTP/1.1 304 \r\ncontent-length: 5\r\n\r\n', ''],
    [
      'that of the answer after the interim ones',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na',
      'a',
    ],
  ])('is %s', (_name, text, body, end) => {
    expect(whole(text, end)).toMatchObject({ body, isDone: true });
  });

  it('is none where a tunnel begins', () => {
    expect(whole('HTTP/1.1 200 OK\r\n\r\n', undefined, 'CONNECT')).toMatchObject({ isDone: true, body: '' });
  });

  it.each([
    'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n',
    'HTTP/1.1 200 OK\r\nx',
    'HTTP/1.1 100 Continue\r\n\r\n',
    '',
  ])('is not reached when the connection ends: %j', (text) => {
    expect(() => whole(text, 'end')).toThrow(CutOffError);
  });
});

describe('headers', () => {
  const headersOf = (lines: string) =>
    whole(`HTTP/1.1 200 OK\r\n${lines}\r\ncontent-length: 0\r\n\r\n`).headers;

  it('have names in lower case, trimmed values, and repeated ones are joined', () => {
    expect(headersOf('X-One:\t a b \r\nx-two:\r\nX-ONE: c')).toMatchObject({
      'x-one': 'a b, c',
      'x-two': '',
    });
  });

  it('may have the names of members that all objects have', () => {
    expect(headersOf('__proto__: a\r\nconstructor: b')).toMatchObject({
      constructor: 'b',
      ['__proto__']: 'a',
    });
  });
});

describe('another request on the same connection', () => {
  const answer = (lines = '', version = '1.1', rest = '') =>
    whole(`HTTP/${version} 200 OK\r\n${lines}content-length: 0\r\n\r\n${rest}`);

  it('may follow, unless the server says no', () => {
    expect(answer().keepsAlive).toBe(true);
    expect(answer('Connection: keep-alive, Close\r\n').keepsAlive).toBe(false);
    expect(answer('', '1.0').keepsAlive).toBe(false);
    expect(whole('HTTP/1.1 200 OK\r\n\r\n', 'end').keepsAlive).toBe(false);
  });

  it('may not follow what nobody asked for', () => {
    expect(answer('', '1.1', 'HTTP/1.1 200 OK').keepsAlive).toBe(false);
  });

  it('is waited for as long as the server says', () => {
    expect(answer('Keep-Alive: max=3, timeout=5\r\n').keepAliveMs).toBe(5000);
    expect(answer().keepAliveMs).toBeUndefined();
  });
});

describe('refused is', () => {
  it.each([
    ['another protocol, from its first line', '220 mail.example ESMTP\r\n'],
    ['another protocol, from its first byte', '\x15'],
    ['another version', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching\r\n\r\n'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\nx\r\n\r\n'],
    ['a header with a space before the colon', 'HTTP/1.1 200 OK\r\nx : 1\r\n\r\n'],
    ['a header that goes on in the next line', 'HTTP/1.1 200 OK\r\nx: 1\r\n 2\r\n\r\n'],
    ['a header without a name', 'HTTP/1.1 200 OK\r\n: 1\r\n\r\n'],
    ['a header with a bare line end', 'HTTP/1.1 200 OK\r\nx: 1\ny: 2\r\n\r\n'],
    ['a header with a NUL', 'HTTP/1.1 200 OK\r\nx: \0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na'],
    ['a length with a tab', 'HTTP/1.1 200 OK\r\ncontent-length: 1\t\r\n\r\na'],
    ['a length with a sign', 'HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na'],
    ['a length without end', `HTTP/1.1 200 OK\r\ncontent-length: ${'9'.repeat(16)}\r\n\r\na`],
    [
      'a length beside chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a coding that nobody asked for', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n'],
    ['a chunk without size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n;x\r\n'],
    ['a chunk with a size like 0x1', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\na\r\n'],
    [
      'a chunk longer than it says',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n',
    ],
    ['a chunk with half an extension', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;\r\na\r\n'],
    ['a trailer that is none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx\r\n'],
    [
      'a length in the trailers',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 1\r\n',
    ],
    ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(17_000)}`],
    ['a head that is too long', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(17_000)}\r\n\r\n`],
    ['a size without end', `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;${'a'.repeat(17_000)}`],
    [
      'trailers without end',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${`x: ${'a'.repeat(1000)}\r\n`.repeat(17)}`,
    ],
  ])('%s', (_name, text) => {
    expect(() => whole(text)).toThrow(HttpSyntaxError);
  });
});

// --- properties -------------------------------------------------------------------------------------------

const bodies = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

/** The bytes of an answer, framed in one of the three ways, and the body in it. */
const answers = fc
  .record({
    body: bodies,
    status: fc.constantFrom(200, 404, 500),
    header: fc.stringMatching(/^[!-~]{0,20}$/),
    framing: fc.constantFrom('sized', 'chunked', 'to the end'),
    chunkBytes: fc.integer({ min: 1, max: 100 }),
  })
  .map(({ body, status, header, framing, chunkBytes }) => {
    const lines = {
      sized: `content-length: ${String(body.length)}\r\n`,
      chunked: 'transfer-encoding: chunked\r\n',
      'to the end': '',
    };
    const head = `HTTP/1.1 ${String(status)} x\r\nx-header: ${header}\r\n${lines[framing]}\r\n`;
    const framed = framing === 'chunked' ? chunked(body, chunkBytes) : body;
    return { bytes: Buffer.concat([Buffer.from(head), framed]), status, header, body, framing };
  });

function chunked(body: Buffer, chunkBytes: number): Buffer {
  const parts: (string | Buffer)[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    parts.push(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n');
  }
  return Buffer.concat([...parts, '0\r\n\r\n'].map((part) => Buffer.from(part)));
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((each) => each % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, index) => bytes.subarray(places[index], to));
}

describe('any answer', () => {
  it('is read as it was written, however the network cuts it', () => {
    fc.assert(
      fc.property(answers, fc.array(fc.nat(), { maxLength: 30 }), (answer, cuts) => {
        const end = answer.framing === 'to the end' ? 'end' : undefined;
        expect(read(cut(answer.bytes, cuts), end)).toMatchObject({
          status: answer.status,
          headers: { 'x-header': answer.header },
          body: answer.body.toString('latin1'),
          isDone: true,
        });
      }),
    );
  });

  it('that comes byte by byte is read as it is in one piece', () => {
    fc.assert(
      fc.property(answers, ({ bytes }) => {
        expect(read([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(read([bytes]));
      }),
    );
  });
});

/** Sends whatever bytes it has at the moment to who connects, and hangs up. */
let answering: Uint8Array = new Uint8Array();
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => socket.end(answering));
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

describe("Node's own client", () => {
  it('reads the same, whatever of a broken answer is taken for one', async () => {
    const broken = fc.tuple(
      answers,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...SPLINTERS)), { maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(broken, async ([{ bytes }, splinters]) => {
        const answer = firstAnswerIn(splinters.reduce(splice, bytes));
        fc.pre(answer !== undefined);
        const { status, body } = read([answer], 'end');
        expect(await readByNode(answer)).toEqual({ status, body });
      }),
      { numRuns: 300 },
    );
  });
});

/** What the reader takes for an answer, without what comes after it; undefined if it takes nothing for one. */
function firstAnswerIn(bytes: Buffer): Buffer | undefined {
  const reader = new AnswerReader('GET', { onHead: () => undefined, onData: () => undefined });
  try {
    for (let at = 0; at < bytes.length; at += 1) {
      reader.push(bytes.subarray(at, at + 1));
      if (reader.isDone) return bytes.subarray(0, at + 1);
    }
    reader.end();
    return bytes;
  } catch (error) {
    if (error instanceof HttpSyntaxError || error instanceof CutOffError) return undefined;
    throw error;
  }
}

function splice(bytes: Buffer, [place, splinter]: [number, string]): Buffer {
  const at = place % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(splinter, 'latin1'), bytes.subarray(at)]);
}

function readByNode(bytes: Buffer): Promise<{ status: number | undefined; body: string }> {
  answering = bytes;
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const request = get({ host: '127.0.0.1', port, agent: false }, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString('latin1') }),
      );
    });
    request.on('error', reject);
  });
}

/** What makes one answer into another. */
const SPLINTERS = [
  '\r\n', '\n', '\r', ' ', '\t', ':', ',', ';', '0', '1', 'a', '\0', '\x80',
  '\r\n\r\n', '0\r\n\r\n', 'content-length: 3\r\n', 'transfer-encoding: chunked\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 204 No Content\r\n\r\n',
]; // prettier-ignore
