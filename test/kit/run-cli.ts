/** Runs the program in this process on streams made of memory, so that a test sees what a user would. */
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { main, type ProcessLike } from '../../src/main.js';
import type { Signal } from '../../src/errors.js';
import type { ExitCode } from '../../src/exit-codes.js';
import { PLAIN_PALETTE } from '../../src/ui/palette.js';
import type { StreamSettings } from '../../src/ui/streams.js';

export interface RunSettings {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What stdin holds; nothing when absent. A stream is handed in as it is. */
  readonly stdin?: string | Uint8Array | Readable;
  /** Which streams are terminals; none by default. */
  readonly terminal?: { readonly stdin?: boolean; readonly stdout?: boolean; readonly stderr?: boolean };
  readonly columns?: number;
  /** Makes every write to stdout fail with this `code`, e.g. `EPIPE`, after so many writes. */
  readonly breakStdout?: { readonly code: string; readonly afterWrites: number };
}

export interface Finished {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly done: Promise<Finished>;
  readonly stdout: Collector;
  readonly stderr: Collector;
  signal(signal: Signal): void;
}

/** Streams without a flag and without colour. */
export const PLAIN_STREAMS: StreamSettings = {
  format: undefined,
  quiet: false,
  verbose: false,
  palette: () => PLAIN_PALETTE,
};

/** Runs to the end. */
export function runCli(argv: readonly string[], settings: RunSettings = {}): Promise<Finished> {
  return startCli(argv, settings).done;
}

/** Starts a command that a test wants to watch or to interrupt. */
export function startCli(argv: readonly string[], settings: RunSettings = {}): Running {
  const signals = new EventEmitter();
  const stdout = new Collector(settings.terminal?.stdout === true, settings.columns, settings.breakStdout);
  const stderr = new Collector(settings.terminal?.stderr === true, settings.columns);
  const given = settings.stdin ?? '';
  const stdin = given instanceof Readable ? given : Readable.from(given === '' ? [] : [Buffer.from(given)]);
  const process: ProcessLike = {
    argv: ['node', 'mx2s', ...argv],
    env: settings.env ?? {},
    pid: globalThis.process.pid,
    execPath: globalThis.process.execPath,
    stdin: Object.assign(stdin, { isTTY: settings.terminal?.stdin === true }),
    stdout,
    stderr,
    on: (signal, listener) => signals.on(signal, listener),
    off: (signal, listener) => signals.off(signal, listener),
    exit: (code) => {
      throw new Error(`the program ended this process with ${code}`);
    },
    rawListeners: (signal) => signals.rawListeners(signal),
  };
  return {
    done: main(process).then((code) => ({ code, stdout: stdout.text, stderr: stderr.text })),
    stdout,
    stderr,
    signal: (signal) => signals.emit(signal, signal),
  };
}

/** A stream that keeps what was written, and tells when a text has appeared. */
export class Collector {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  private readonly broken: RunSettings['breakStdout'];
  private writeCount = 0;
  private readonly changes = new EventEmitter();

  constructor(isTTY: boolean, columns?: number, broken?: RunSettings['breakStdout']) {
    this.isTTY = isTTY;
    this.columns = columns;
    this.broken = broken;
    this.changes.setMaxListeners(0);
  }

  write(text: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    const fails = this.broken !== undefined && this.writeCount >= this.broken.afterWrites;
    this.writeCount += 1;
    if (fails) {
      done(Object.assign(new Error('write failed'), { code: this.broken?.code }));
      return false;
    }
    this.text += typeof text === 'string' ? text : Buffer.from(text).toString();
    this.changes.emit('change');
    done();
    return true;
  }

  on(): this {
    return this; // a memory stream has no errors of its own
  }

  /** Resolves with the whole text once it matches. */
  async until(wanted: RegExp): Promise<string> {
    while (!wanted.test(this.text)) {
      await new Promise((resolve) => this.changes.once('change', resolve));
    }
    return this.text;
  }

  /** What was written, a JSON value per line. */
  get lines(): unknown[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  }
}
