import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  DiskError,
  InterruptedError,
  InvalidInputError,
  ReaderGoneError,
  UsageError,
} from '../../src/errors.js';
import {
  decodeUtf8,
  openInput,
  openStreams,
  type Output,
  type StreamSettings,
  type WritableLike,
} from '../../src/ui/streams.js';
import { Collector, PLAIN_STREAMS } from '../kit/run-cli.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';

function open(settings: Partial<StreamSettings> = {}, terminal = false) {
  const stdout = new Collector(terminal, 40);
  const stderr = new Collector(terminal);
  return { stdout, stderr, ...openStreams({ stdout, stderr }, { ...PLAIN_STREAMS, ...settings }) };
}

function openOut(stdout: WritableLike): Output {
  return openStreams({ stdout, stderr: new Collector(false) }, PLAIN_STREAMS).out;
}

describe('Output', () => {
  it('gives people text on a terminal and programs JSON elsewhere', async () => {
    const toTerminal = open({}, true);
    await toTerminal.out.result({ v: 1, a: 'b' }, () => 'a is b');
    expect(toTerminal.stdout.text).toBe('a is b\n');
    const toPipe = open();
    await toPipe.out.result({ v: 1, a: 'b' }, () => 'a is b');
    expect(toPipe.stdout.text).toBe('{"v":1,"a":"b"}\n');
  });

  it('obeys what was forced', async () => {
    const forced = open({ format: 'text' });
    await forced.out.result({ v: 1 }, () => 'text');
    expect(forced.stdout.text).toBe('text\n');
  });

  it.each([
    [true, 40, 40],
    [true, 0, 80],
    [true, undefined, 80],
    [false, undefined, Infinity],
  ])('is, terminal=%s with %s columns, %d wide', (terminal, columns, width) => {
    expect(openOut(new Collector(terminal, columns)).width).toBe(width);
  });

  it('escapes JSON on a terminal and leaves it alone on a pipe', async () => {
    const line = JSON.stringify({ a: '\u202e\u009b' });
    const toTerminal = open({ format: 'json' }, true);
    await toTerminal.out.writeJson(line);
    expect(toTerminal.stdout.text).toBe('{"a":"\\u202e\\u009b"}\n');
    const toPipe = open();
    await toPipe.out.writeJson(line);
    expect(toPipe.stdout.text).toBe(`${line}\n`);
  });

  it.each(['EPIPE', 'ERR_STREAM_DESTROYED'])('takes %s for a reader that went away', async (code) => {
    const out = openOut(new Collector(false, undefined, { code, afterWrites: 0 }));
    await expect(out.write('x')).rejects.toBeInstanceOf(ReaderGoneError);
  });

  it('writes to a file, and to what keeps nothing, without opening the stream', async () => {
    const place = await makeTempDir();
    onTestFinished(() => place.remove());
    const file = join(place.path, 'out');
    for (const path of [file, '/dev/null']) {
      const stdoutDescriptor = openSync(path, 'a');
      const standard = {
        get stdout(): WritableLike {
          throw new Error('the stream was opened');
        },
        stderr: new Collector(false),
      };
      await openStreams(standard, { ...PLAIN_STREAMS, stdoutDescriptor }).out.result({ v: 1 }, () => 'text');
      closeSync(stdoutDescriptor);
    }
    expect(await readFile(file, 'utf8')).toBe('{"v":1}\n');
  });

  it('takes ENOSPC for a full disk', async () => {
    const broken = new Collector(false, undefined, { code: 'ENOSPC', afterWrites: 0 });
    await expect(openOut(broken).write('x')).rejects.toBeInstanceOf(DiskError);
  });

  it('knows whether a reader has taken what was written', async () => {
    const reader = new SlowReader();
    const out = openOut(reader);
    expect(out.isWaiting).toBe(false);
    const writes = [out.write('a'), out.write('b')];
    reader.take();
    await writes[0];
    expect(out.isWaiting).toBe(true);
    reader.take(new Error('gone'));
    await expect(writes[1]).rejects.toThrow(DiskError);
    expect(out.isWaiting).toBe(false);
  });
});

describe('Talk', () => {
  it('opens stderr when something is said, and not before', async () => {
    const stderr = new Collector(false);
    let asked = 0;
    const process = {
      stdout: new Collector(false),
      get stderr() {
        asked += 1;
        return stderr;
      },
    };
    const { out, talk } = openStreams(process, PLAIN_STREAMS);
    await out.write('x');
    talk.detail('only with --verbose');
    await talk.flush();
    expect(asked).toBe(0);
    talk.warn('w');
    talk.warn('w');
    expect({ asked, text: stderr.text }).toEqual({ asked: 1, text: 'warning: w\nwarning: w\n' });
  });

  it.each<[what: string, terminal: boolean, columns: number | undefined, cursor: object, isCanvas: boolean]>([
    ['a terminal', true, 40, { cursorTo: () => true }, true],
    // who redraws would divide by it, and never come to an end
    ['a terminal that says it is 0 wide', true, 0, { cursorTo: () => true }, false],
    ['a terminal of unknown width', true, undefined, { cursorTo: () => true }, false],
    ['a terminal without a cursor', true, 40, {}, false],
    ['a pipe', false, undefined, {}, false],
  ])('lets what redraws itself draw on %s', (_what, terminal, columns, cursor, isCanvas) => {
    const stderr = Object.assign(new Collector(terminal, columns), cursor);
    const { talk } = openStreams({ stdout: new Collector(false), stderr }, PLAIN_STREAMS);
    expect(talk.canvas).toBe(isCanvas ? stderr : undefined);
  });

  it('is silent with --quiet but for errors', () => {
    const { talk, stderr } = open({ quiet: true, format: 'text' });
    talk.notice('n');
    talk.warn('w');
    talk.detail('d');
    talk.error(new UsageError('e'));
    expect(stderr.text).toBe('mx2s: e\n');
  });

  it('escapes everything it is given', () => {
    const { talk, stderr } = open();
    talk.warn('server said \u001b]0;x\u0007');
    expect(stderr.text).toBe('warning: server said \\u001b]0;x\\u0007\n');
  });

  it('shows details only with --verbose', () => {
    const quiet = open();
    quiet.talk.detail('d');
    const verbose = open({ verbose: true });
    verbose.talk.detail('d');
    expect([quiet.stderr.text, verbose.stderr.text]).toEqual(['', 'd\n']);
  });

  it('makes room for a line above what redraws itself', () => {
    const { talk } = open({}, true);
    const calls: string[] = [];
    talk.setLive({ clear: () => calls.push('clear'), draw: () => calls.push('draw') });
    talk.notice('n');
    talk.setLive(undefined);
    talk.notice('m');
    expect(calls).toEqual(['clear', 'draw', 'clear']);
  });
});

const awake = new AbortController().signal;

describe('Input', () => {
  it('reads all of stdin', async () => {
    await expect(
      openInput(Readable.from([Buffer.from('{"a"'), Buffer.from(':1}')]), awake).text('the content'),
    ).resolves.toBe('{"a":1}');
  });

  it('refuses an empty stdin that was asked for', async () => {
    await expect(openInput(Readable.from([]), awake).text('the content')).rejects.toThrow(
      'the content was to come from stdin, which is empty',
    );
  });

  it('refuses more than the limit', async () => {
    await expect(
      openInput(Readable.from([Buffer.alloc(9)]), awake).text('the content', 8),
    ).rejects.toBeInstanceOf(InvalidInputError);
  });
});

describe('Input from a file', () => {
  let directory: TempDir;
  let descriptor: number;
  beforeEach(async () => {
    directory = await makeTempDir();
    await writeFile(join(directory.path, 'file'), 'abc');
    descriptor = openSync(join(directory.path, 'file'), 'r');
  });
  afterEach(async () => {
    closeSync(descriptor);
    await directory.remove();
  });

  function openFile(signal = awake) {
    const unused = new Readable({ read: () => expect.unreachable('the stream is read') });
    return openInput(Object.assign(unused, { fd: descriptor }), signal);
  }

  it('is read from the file itself', async () => {
    expect(openFile().sizeBytes()).toBe(3);
    await expect(openFile().text('the content')).resolves.toBe('abc');
  });

  it('ends when the signal aborts', async () => {
    const interrupt = new AbortController();
    const chunks = openFile(interrupt.signal).chunks()[Symbol.asyncIterator]();
    expect(await chunks.next()).toMatchObject({ done: false });
    interrupt.abort(new InterruptedError('SIGINT'));
    await expect(chunks.next()).rejects.toBeInstanceOf(InterruptedError);
  });
});

it('a read that waits ends when the signal aborts', async () => {
  const interrupt = new AbortController();
  const endless = new Readable({ read: () => undefined });
  const reading = openInput(endless, interrupt.signal).text('the content');
  interrupt.abort(new InterruptedError('SIGINT'));
  await expect(reading).rejects.toBeInstanceOf(InterruptedError);
});

it('decodes UTF-8 strictly', () => {
  expect(decodeUtf8(Buffer.from('é'), 'it')).toBe('é');
  expect(() => decodeUtf8(Uint8Array.of(0xc3, 0x28), 'the password')).toThrow('the password is not UTF-8');
});

class SlowReader implements WritableLike {
  readonly #waiting: ((error?: Error) => void)[] = [];

  write(_text: string | Uint8Array, done: (error?: Error) => void): boolean {
    this.#waiting.push(done);
    return false;
  }

  /** The oldest of what was written. */
  take(error?: Error): void {
    this.#waiting.shift()?.(error);
  }

  on(): void {
    // nothing happens by itself
  }
}
