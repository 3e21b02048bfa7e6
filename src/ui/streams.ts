/**
 * The terminal's door: the three standard streams as the commands see them. Nothing else in the program
 * writes to stdout or stderr or reads stdin.
 */
import { fstatSync } from 'node:fs';
import { DiskError, InvalidInputError, ReaderGoneError } from '../errors.js';
import { escapeText } from './escape.js';
import { chunksOfDescriptor } from './file-chunks.js';
import { PLAIN_PALETTE, type Palette } from './palette.js';
import { encodeError, renderError } from './voice.js';
import { endsTorn, isFile, isNull, writeWhole } from './whole-write.js';

/** For people, or for programs. */
export type Format = 'text' | 'json';

/** What is needed of `process.stdout` and `process.stderr`; a test hands in a buffer. */
export interface WritableLike {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string | Uint8Array, done: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** What is needed of `process.stdin`. */
export interface ReadableLike extends NodeJS.ReadableStream {
  readonly isTTY?: boolean | undefined;
  /** The file descriptor, when stdin is a file. */
  readonly fd?: number | undefined;
}

/** stdout: results, in the format asked for. */
export interface Output {
  readonly format: Format;
  readonly isTerminal: boolean;
  /** Columns to cut to; infinite when stdout is no terminal. */
  readonly width: number;
  readonly palette: Palette;
  /** Does something that was written wait for its reader? */
  readonly isWaiting: boolean;
  /**
   * Writes text as it is, or as its bytes, and resolves when the kernel has taken it.
   * @throws ReaderGoneError when the reader went away, DiskError when the disk is full
   */
  write(text: string | Uint8Array): Promise<void>;
  /**
   * Where stdout is a file that ends in the middle of a line, because a process was killed there, ends that line:
   * what is written next would be lost to who reads the file line by line.
   */
  startLine(): Promise<void>;
  /** Writes one line of JSON text; on a terminal with its unsafe characters as `\uXXXX`. */
  writeJson(line: string): Promise<void>;
  /** Writes one result: the object as a JSON line, or what `render` makes of it for people. */
  result(value: object, render: (palette: Palette) => string): Promise<void>;
}

/** stderr: talk. Everything passed in is escaped here, so server text may be part of it. */
export interface Talk {
  readonly isTerminal: boolean;
  /** The stream for what redraws itself; undefined unless it is a terminal that can take back what was drawn. */
  readonly canvas: NodeJS.WritableStream | undefined;
  readonly palette: Palette;
  /** Something worth knowing; silent with `--quiet`. */
  notice(text: string): void;
  /** Something that may be wrong; silent with `--quiet`. */
  warn(text: string): void;
  /** Only with `--verbose`. */
  detail(text: string): void;
  /** A line of the wire log, or the output of a hook: always shown. */
  line(text: string): void;
  /** Bytes of another program that talks to the user through us. */
  raw(text: string): void;
  /** The error, as the last line. */
  error(error: unknown): void;
  /** Resolves when all talk so far was written. */
  flush(): Promise<void>;
  /** Puts something that redraws itself (a spinner) below the talk, or takes it away. */
  setLive(live: Live | undefined): void;
}

/** A part of the terminal that redraws itself and must make room for lines. */
export interface Live {
  clear(): void;
  draw(): void;
}

export interface Streams {
  readonly out: Output;
  readonly talk: Talk;
}

export interface StreamSettings {
  /** Forced by `--json` or `--text`; otherwise a terminal gets text and anything else JSON. */
  readonly format: Format | undefined;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** That of the process, if stdout is no other. */
  readonly stdoutDescriptor?: number | undefined;
  /** That of a stream. JSON is never coloured. */
  palette(isTerminal: boolean): Palette;
}

/** What is needed of `process`, which opens a stream when it is asked for it: that takes time, so it is not done in vain. */
export interface StandardStreams {
  /** Asked for unless it is written to directly. */
  readonly stdout: WritableLike;
  /** Asked for when something is said: most runs say nothing. */
  readonly stderr: WritableLike;
}

/** Opens both streams. They know of each other, for what redraws itself on one must make room on the same terminal. */
export function openStreams(standard: StandardStreams, settings: StreamSettings): Streams {
  const file = writtenDirectly(settings.stdoutDescriptor);
  const stdout = file === undefined ? openStdout(standard) : undefined;
  const outIsTerminal = stdout?.isTTY === true;
  const format = settings.format ?? (outIsTerminal ? 'text' : 'json');
  let live: Live | undefined;
  let pendingTalk = Promise.resolve();
  let waiting = 0; // not the stream's `writableLength`, which is 0 at all times on Bun

  const openStderr = onDemand(() => {
    const { stderr } = standard;
    stderr.on('error', ignore);
    return { stderr, palette: settings.palette(stderr.isTTY === true) };
  });

  async function write(text: string | Uint8Array): Promise<void> {
    if (outIsTerminal) live?.clear();
    if (stdout !== undefined) await writeToReader(stdout, text);
    else if (file !== undefined) writeToFile(file, text);
    if (outIsTerminal) live?.draw();
  }

  async function writeToReader(reader: WritableLike, text: string | Uint8Array): Promise<void> {
    waiting += 1;
    try {
      await writeTo(reader, text);
    } finally {
      waiting -= 1;
    }
  }

  function say(text: string): void {
    live?.clear();
    const written = writeTo(openStderr().stderr, text).catch(ignore);
    pendingTalk = pendingTalk.then(() => written);
    live?.draw();
  }

  const outPalette = format === 'text' ? settings.palette(outIsTerminal) : PLAIN_PALETTE;

  const out: Output = {
    format,
    isTerminal: outIsTerminal,
    width: outIsTerminal ? (columnsOf(stdout) ?? USUAL_COLUMNS) : Infinity,
    palette: outPalette,
    get isWaiting() {
      return waiting > 0;
    },
    write,
    startLine: async () => {
      if (file !== undefined && endsTorn(file)) await write('\n');
    },
    writeJson: (line) => write(`${outIsTerminal ? escapeText(line) : line}\n`),
    result: (value, render) =>
      format === 'json' ? out.writeJson(JSON.stringify(value)) : write(`${render(outPalette)}\n`),
  };

  const talk: Talk = {
    get isTerminal() {
      return openStderr().stderr.isTTY === true;
    },
    get canvas() {
      const { stderr } = openStderr();
      return isCanvas(stderr) ? stderr : undefined;
    },
    get palette() {
      return openStderr().palette;
    },
    notice: (text) => {
      if (!settings.quiet) say(`${escapeText(text)}\n`);
    },
    warn: (text) => {
      if (!settings.quiet) say(`${talk.palette.warning('warning:')} ${escapeText(text)}\n`);
    },
    detail: (text) => {
      if (settings.verbose) say(`${talk.palette.faint(escapeText(text))}\n`);
    },
    line: (text) => say(`${escapeText(text)}\n`),
    raw: (text) => say(text),
    error: (error) => {
      const lines =
        format === 'json' ? [encodeError(error)] : renderError(error, talk.palette, settings.verbose);
      say(lines.map((line) => `${line}\n`).join(''));
    },
    flush: () => pendingTalk,
    setLive: (next) => {
      live?.clear();
      live = next;
    },
  };
  return { out, talk };
}

/** stdin, read only when asked. */
export interface Input {
  readonly isTerminal: boolean;
  /** The stream itself, for a prompt. */
  readonly stream: ReadableLike;
  /** How many bytes it has in all, where that can be known: stdin is a file. */
  sizeBytes(): number | undefined;
  /**
   * The bytes as they come.
   * @param use with `once`, a chunk may be overwritten when the next one is asked for
   */
  chunks(use?: 'once'): AsyncIterable<Uint8Array>;
  /**
   * Everything, as UTF-8.
   * @throws InvalidInputError when it is empty, too long, or no UTF-8
   */
  text(what: string, maxBytes?: number): Promise<string>;
}

/** Opens stdin. A read that waits ends when the signal aborts, with the signal's reason. */
export function openInput(stdin: ReadableLike, signal: AbortSignal): Input {
  const file = (): number | undefined => (stdin.fd !== undefined && isFile(stdin.fd) ? stdin.fd : undefined);
  const input: Input = {
    isTerminal: stdin.isTTY === true,
    stream: stdin,
    sizeBytes: () => {
      const descriptor = file();
      return descriptor === undefined ? undefined : fstatSync(descriptor).size;
    },
    async *chunks(use) {
      const descriptor = file();
      const source = descriptor === undefined ? stdin : chunksOfDescriptor(descriptor, use === 'once');
      for await (const chunk of untilAborted<string | Uint8Array>(source, signal)) {
        yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      }
    },
    async text(what, maxBytes = MAX_INPUT_BYTES) {
      const parts: Uint8Array[] = [];
      let byteCount = 0;
      for await (const chunk of input.chunks()) {
        byteCount += chunk.byteLength;
        if (byteCount > maxBytes) {
          throw new InvalidInputError(`${what} on stdin is longer than ${maxBytes} bytes`, {
            reason: 'too_long',
          });
        }
        parts.push(chunk);
      }
      if (byteCount === 0) {
        throw new InvalidInputError(`${what} was to come from stdin, which is empty`, {
          reason: 'empty',
          hint: 'pipe something in, or name a file',
        });
      }
      return decodeUtf8(Buffer.concat(parts), `${what} on stdin`);
    },
  };
  return input;
}

/**
 * Decodes UTF-8 strictly.
 * @throws InvalidInputError when the bytes are no UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    throw new InvalidInputError(`${what} is not UTF-8`, { reason: 'not_utf8', cause: error });
  }
}

/** What comes until the signal aborts, also while nothing comes; then its reason is thrown. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    signal.throwIfAborted();
    const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      void iterator
        .next()
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', onAbort));
    });
    if (next.done === true) return;
    yield next.value;
  }
}

/** What redraws itself has to know how many lines it covers, so how wide they are, and to move the cursor. */
function isCanvas(stream: WritableLike): stream is WritableLike & NodeJS.WritableStream {
  return stream.isTTY === true && columnsOf(stream) !== undefined && 'cursorTo' in stream;
}

/** A terminal that does not know its width says 0: some do, under `script`, `expect` or in a container. */
function columnsOf({ columns }: WritableLike): number | undefined {
  return columns === 0 ? undefined : columns;
}

function writeToFile(descriptor: number, text: string | Uint8Array): void {
  try {
    writeWhole(descriptor, text);
  } catch (error) {
    throw diskFailure(error as Error);
  }
}

function writeTo(stream: WritableLike, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(writeFailure(error)) : resolve()));
  });
}

function writeFailure(error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code;
  return code !== undefined && READER_GONE.has(code)
    ? new ReaderGoneError('the reader of stdout went away')
    : diskFailure(error);
}

function diskFailure(error: Error): DiskError {
  return new DiskError(`cannot write to stdout: ${error.message}`, {
    hint: 'check the disk that the output goes to',
    cause: error,
  });
}

/** A file, and what keeps nothing: there, no write has to be waited for. */
function writtenDirectly(descriptor: number | undefined): number | undefined {
  return descriptor !== undefined && (isFile(descriptor) || isNull(descriptor)) ? descriptor : undefined;
}

function openStdout({ stdout }: StandardStreams): WritableLike {
  stdout.on('error', ignore);
  return stdout;
}

function onDemand<T extends object>(open: () => T): () => T {
  let opened: T | undefined;
  return () => (opened ??= open());
}

/** A failed write is reported to its callback; without a listener the same failure would also be thrown. */
function ignore(): void {
  // nobody is left to hear that nobody hears us
}

const READER_GONE: ReadonlySet<string> = new Set([
  'EPIPE',
  'ECONNRESET',
  'EIO',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);
const USUAL_COLUMNS = 80;
const MAX_INPUT_BYTES = 16 * 1024 * 1024;
