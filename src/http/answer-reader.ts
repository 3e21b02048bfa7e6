/**
 * Reads one HTTP/1.1 answer, in whatever pieces the network cuts it (RFC 9112). Opens no socket.
 *
 * It is strict where being lenient has let two readers see two different answers: what is framed in two ways, or
 * not as the standard says, is refused.
 */

/** What a reader tells, in this order; `onHead` once, interim answers (1xx) left out. */
export interface AnswerSink {
  /** Names in lower case; repeated headers joined as RFC 9110 section 5.3 allows. */
  onHead(status: number, headers: Readonly<Record<string, string>>): void;
  /** A piece of the body, valid until the next call. */
  onData(bytes: Buffer): void;
}

/** What came is no HTTP/1.1 answer. */
export class HttpSyntaxError extends Error {
  override readonly name = 'HttpSyntaxError';
}

/** The answer was not complete when the connection ended; the code is the one that Node has for it. */
export class CutOffError extends Error {
  override readonly name = 'CutOffError';
  readonly code = 'ECONNRESET';

  constructor() {
    super('the connection ended before the answer was complete');
  }
}

export class AnswerReader {
  readonly #isTunnel: boolean;
  readonly #sink: AnswerSink;
  #state: 'head' | 'sized' | 'to the end' | 'chunk size' | 'chunk' | 'after chunk' | 'trailers' | 'done' =
    'head';
  /** Came, but is not enough for the next step. */
  #held: Buffer = NOTHING;
  /** Of the body or chunk that is being read. */
  #missingBytes = 0;
  #trailerBytes = 0;
  #keepsAlive = false;
  #keepAliveMs: number | undefined;

  /** @param method of the request: what its answer may hold depends on it. */
  constructor(method: string, sink: AnswerSink) {
    this.#isTunnel = method === 'CONNECT';
    this.#sink = sink;
  }

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /** May another request follow on this connection? Counts once the answer is done. */
  get keepsAlive(): boolean {
    return this.#keepsAlive && this.#held.length === 0;
  }

  /** How long the server says that it waits for that request; undefined if it does not. */
  get keepAliveMs(): number | undefined {
    return this.#keepAliveMs;
  }

  /** @throws HttpSyntaxError */
  push(bytes: Buffer): void {
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    while (rest.length > 0 && this.#state !== 'done') {
      const after = this.#step(rest);
      if (after === undefined) break;
      rest = after;
    }
    this.#held = rest;
  }

  /** The server sends no more. @throws CutOffError */
  end(): void {
    if (this.#state === 'to the end') this.#state = 'done';
    if (this.#state !== 'done') throw new CutOffError();
  }

  /** What is left of `bytes` when one thing was read; undefined when more of it has to come first. */
  #step(bytes: Buffer): Buffer | undefined {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes);
      case 'sized':
      case 'chunk':
        return this.#readSized(bytes);
      case 'to the end':
        this.#sink.onData(bytes);
        return NOTHING;
      case 'chunk size':
        return this.#readLine(bytes, (line) => {
          this.#missingBytes = parseChunkSize(line);
          this.#state = this.#missingBytes === 0 ? 'trailers' : 'chunk';
        });
      case 'after chunk':
        return this.#readLine(bytes, (line) => {
          if (line !== '') throw new HttpSyntaxError('a chunk is longer than it says');
          this.#state = 'chunk size';
        });
      case 'trailers':
        return this.#readLine(bytes, (line) => {
          this.#trailerBytes += line.length;
          if (this.#trailerBytes > MAX_HEAD_BYTES) throw new HttpSyntaxError('the trailers are too long');
          if (line === '') this.#state = 'done';
          else parseTrailer(line);
        });
      case 'done':
        return undefined;
    }
  }

  #readHead(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf('\r\n\r\n');
    const length = end === -1 ? bytes.length : end;
    if (length > MAX_HEAD_BYTES) throw new HttpSyntaxError('the headers are too long');
    // told at once: what speaks another protocol may never send an empty line
    const start = bytes.toString('latin1', 0, Math.min(bytes.length, BEGINNING.length));
    if (!BEGINNING.startsWith(start)) throw new HttpSyntaxError('it does not begin with HTTP/1.');
    if (end === -1) return undefined;

    const { minor, status, headers } = parseHead(bytes.toString('utf8', 0, end));
    const rest = bytes.subarray(end + 4);
    if (status < 200) {
      // nobody asked for another protocol (101)
      if (status === 101) throw new HttpSyntaxError('it switches protocols');
      return rest;
    }
    const connection = (headers['connection'] ?? '').toLowerCase();
    this.#keepsAlive = minor === '1' && !/(?:^|[ \t,])close(?:$|[ \t,])/.test(connection);
    const seconds = /(?:^|[ \t,])timeout=(\d{1,9})(?:$|[ \t,])/i.exec(headers['keep-alive'] ?? '')?.[1];
    this.#keepAliveMs = seconds === undefined ? undefined : Number(seconds) * 1000;
    this.#beginBody(status, headers);
    this.#sink.onHead(status, headers);
    return rest;
  }

  /** How long the body is: RFC 9112 section 6.3. */
  #beginBody(status: number, headers: Readonly<Record<string, string>>): void {
    const { 'transfer-encoding': coding, 'content-length': length } = headers;
    if (status === 204 || status === 304 || (this.#isTunnel && status < 300)) {
      this.#state = 'done';
    } else if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked')
        throw new HttpSyntaxError('a transfer coding that nobody asked for');
      if (length !== undefined) throw new HttpSyntaxError('the body has two lengths');
      this.#state = 'chunk size';
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw new HttpSyntaxError('the length of the body is no number');
      this.#missingBytes = Number(length);
      this.#state = this.#missingBytes === 0 ? 'done' : 'sized';
    } else {
      this.#keepsAlive = false;
      this.#state = 'to the end';
    }
  }

  #readSized(bytes: Buffer): Buffer {
    const piece = bytes.subarray(0, this.#missingBytes);
    this.#missingBytes -= piece.length;
    if (this.#missingBytes === 0) this.#state = this.#state === 'chunk' ? 'after chunk' : 'done';
    this.#sink.onData(piece);
    return bytes.subarray(piece.length);
  }

  #readLine(bytes: Buffer, take: (line: string) => void): Buffer | undefined {
    const end = bytes.indexOf('\r\n');
    if ((end === -1 ? bytes.length : end) > MAX_HEAD_BYTES) throw new HttpSyntaxError('a line is too long');
    if (end === -1) return undefined;
    take(bytes.toString('latin1', 0, end));
    return bytes.subarray(end + 2);
  }
}

interface Head {
  /** Of HTTP/1: `0` or `1`. */
  readonly minor: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor = '', status = ''] = /^HTTP\/1\.([01]) (\d{3})(?: [^\r\n]*)?$/.exec(first) ?? [];
  if (status === '') throw new HttpSyntaxError('its first line is no status line');
  const headers = Object.create(null) as Record<string, string>; // a name may be that of a member of all objects
  for (const line of lines) {
    const { name, value } = parseHeader(line);
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return { minor, status: Number(status), headers };
}

/** RFC 9112 section 5: no space before the colon, and no line that goes on in the next one. */
function parseHeader(line: string): { name: string; value: string } {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
  // a tab may stand around a value, but not every reader takes it for none where the length of the body is said
  const isClear = !isFraming(name) || !line.includes('\t');
  if (!TOKEN.test(name) || CONTROL.test(line) || !isClear)
    throw new HttpSyntaxError('one of its headers is none');
  return { name, value: line.slice(colon + 1).trim() };
}

/** Nobody reads it, but it must not say how long the body was: RFC 9110 section 6.5.1. */
function parseTrailer(line: string): void {
  const { name } = parseHeader(line);
  if (isFraming(name)) throw new HttpSyntaxError('the body has two lengths');
}

function isFraming(name: string): boolean {
  return name === 'content-length' || name === 'transfer-encoding';
}

/** RFC 9112 section 7.1. The extensions are for nobody, but have to be some. */
function parseChunkSize(line: string): number {
  const [, digits] = CHUNK_SIZE.exec(line) ?? [];
  if (digits === undefined) throw new HttpSyntaxError('the size of a chunk is no number');
  return Number.parseInt(digits, 16);
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const CONTROL = /[\0-\x08\n-\x1f\x7f]/;
const CHUNK_SIZE =
  /^([0-9a-f]{1,12})(?:;[!#$%&'*+.^_`|~0-9a-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9a-z-]+|"[ !#-[\]-~]*"))?)*$/i;
const NOTHING: Buffer = Buffer.alloc(0);
const BEGINNING = 'HTTP/1.';
/** As much as Node's own client takes. */
const MAX_HEAD_BYTES = 16 * 1024;
