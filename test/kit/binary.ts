/**
 * Runs the real program as a process of its own, away from the settings of whoever runs the tests: `bin/mx2s.js`, or what
 * `MX2S_TESTED_PROGRAM` names (test/executable/vitest.config.ts).
 */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface BinaryOptions {
  /** Where HOME and MX2S_CONFIG_DIR point: a temporary folder of the test. */
  readonly home: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** All of stdin; without it stdin is empty. Use `write` and `endInput` for a conversation. */
  readonly stdin?: string | Uint8Array | 'open' | undefined;
  readonly cwd?: string | undefined;
  /** No file of the program can grow beyond so many bytes, a multiple of 512: to it the disk is full then. */
  readonly maxFileBytes?: number | undefined;
  /** Another build of the program than the one that is tested. */
  readonly program?: string | undefined;
}

export interface BinaryResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit status; null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningBinary {
  readonly pid: number;
  /** When the process has ended and its output was read to the end. */
  readonly result: Promise<BinaryResult>;
  /**
   * The first line, of those already there and those to come, in which the pattern is found.
   * Rejects when the process ends without it.
   */
  lineOf(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string>;
  write(text: string): void;
  endInput(): void;
  kill(signal: NodeJS.Signals): void;
  /** Ends the process if it still runs (SIGKILL), and waits for it. For `afterEach`. */
  stop(): Promise<void>;
}

/** Runs `mx2s ARGS` to its end. */
export function runBinary(args: readonly string[], options: BinaryOptions): Promise<BinaryResult> {
  return startBinary(args, options).result;
}

/** Starts `mx2s ARGS` and leaves it running. */
export function startBinary(args: readonly string[], options: BinaryOptions): RunningBinary {
  const [command, commandArgs] = commandLine(args, options);
  const child = spawn(command, commandArgs, {
    cwd: options.cwd ?? options.home,
    env: { ...isolatedEnv(options.home), ...options.env },
    stdio: 'pipe',
  });
  const output = { stdout: new LineWaiter(), stderr: new LineWaiter() };
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.stdout.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => output.stderr.push(text));
  // The process may end without reading its input, which is no fault of the test.
  child.stdin.on('error', () => undefined);
  if (options.stdin !== 'open') child.stdin.end(options.stdin ?? '');

  const result = new Promise<BinaryResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const [stdout, stderr] = [output.stdout.text, output.stderr.text];
      const ending = `mx2s ended (${signal ?? String(code)}); it said:\n${stdout}${stderr}`;
      output.stdout.end(ending);
      output.stderr.end(ending);
      resolve({ stdout, stderr, code, signal });
    });
  });
  return {
    pid: child.pid ?? 0,
    result,
    lineOf: (stream, pattern) => output[stream].lineOf(pattern),
    write: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    kill: (signal) => void child.kill(signal),
    stop: async () => {
      child.kill('SIGKILL');
      await result;
    },
  };
}

function commandLine(
  args: readonly string[],
  { program = BINARY, maxFileBytes }: BinaryOptions,
): [string, string[]] {
  if (maxFileBytes === undefined) return [program, [...args]];
  // POSIX counts in blocks of 512 bytes
  return ['/bin/sh', ['-c', `ulimit -f ${maxFileBytes / 512} && exec "$0" "$@"`, program, ...args]];
}

/** The environment of a program that must not see the user's own settings. */
export function isolatedEnv(home: string): Record<string, string> {
  // The node that runs the tests comes first, so that the program runs on it, too.
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  return { PATH: path, HOME: home, MX2S_CONFIG_DIR: `${home}/mx2s`, TZ: 'UTC' };
}

/** What Node runs. */
export const NODE_PROGRAM = fileURLToPath(new URL('../../bin/mx2s.js', import.meta.url));

/** What is tested. */
export const BINARY = process.env['MX2S_TESTED_PROGRAM'] ?? NODE_PROGRAM;

/** Text that grows, and those who wait for a line of it. */
class LineWaiter {
  text = '';
  #ending: string | undefined;
  #waiting: { pattern: RegExp; resolve: (line: string) => void; reject: (error: Error) => void }[] = [];

  push(text: string): void {
    this.text += text;
    this.#waiting = this.#waiting.filter(({ pattern, resolve }) => {
      const line = this.#find(pattern);
      if (line !== undefined) resolve(line);
      return line === undefined;
    });
  }

  end(ending: string): void {
    this.#ending = ending;
    for (const { pattern, reject } of this.#waiting) reject(noLine(pattern, ending));
    this.#waiting = [];
  }

  lineOf(pattern: RegExp): Promise<string> {
    const line = this.#find(pattern);
    if (line !== undefined) return Promise.resolve(line);
    if (this.#ending !== undefined) return Promise.reject(noLine(pattern, this.#ending));
    return new Promise((resolve, reject) => this.#waiting.push({ pattern, resolve, reject }));
  }

  /** Whole lines only: the last part has no end yet. */
  #find(pattern: RegExp): string | undefined {
    return this.text
      .split('\n')
      .slice(0, -1)
      .find((line) => pattern.test(line));
  }
}

function noLine(pattern: RegExp, ending: string): Error {
  return new Error(`no line matches ${String(pattern)}: ${ending}`);
}
