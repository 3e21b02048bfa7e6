/** Runs a shell command as a job of its own: bounded output, and nothing of it outlives its time. */
import { spawn } from 'node:child_process';

export interface ShellJob {
  /** For `sh -c`. */
  readonly command: string;
  /** What it reads on stdin. */
  readonly input: string;
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The longest stdout and the longest stderr that it may write. */
  readonly maxOutputBytes: number;
}

export interface ShellResult {
  /** Undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `sh -c command` and waits until it ended and closed its output. When the signal aborts, or it writes more
 * than it may, its whole process group is killed.
 *
 * @throws Error when it cannot be started, or wrote too much; the signal's reason
 */
export async function runShell(job: ShellJob, signal: AbortSignal): Promise<ShellResult> {
  signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', job.command], { env: { ...job.env }, detached: true });
  let fault: unknown;
  const stop = (reason: unknown): void => {
    fault ??= reason;
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const onAbort = (): void => stop(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });

  const collect = (stream: NodeJS.ReadableStream): (() => string) => {
    const chunks: Buffer[] = [];
    let byteCount = 0;
    stream.on('data', (chunk: Buffer) => {
      byteCount += chunk.byteLength;
      if (byteCount <= job.maxOutputBytes) chunks.push(chunk);
      else stop(new Error(`it wrote more than ${job.maxOutputBytes} bytes`));
    });
    return () => Buffer.concat(chunks).toString('utf8');
  };
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  child.stdin.on('error', () => undefined); // it need not read its input
  child.stdin.end(job.input);

  try {
    return await new Promise<ShellResult>((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`cannot run /bin/sh: ${error.message}`)));
      child.once('close', (status, endedBy) => {
        if (fault !== undefined) reject(fault);
        const ended = { status: status ?? undefined, signal: endedBy ?? undefined };
        resolve({ ...ended, stdout: stdout(), stderr: stderr() });
      });
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** What a command of the user's may inherit of our environment: all but our secrets and words of another event. */
export function inheritable(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_INHERITED.has(name)));
}

/**
 * Signals the process group of a child that was started detached. A child cannot be told to by itself; the shell
 * can, and no global of this process is needed.
 */
export function killGroup(pid: number, signal: 'TERM' | 'KILL' = 'KILL'): void {
  spawn('/bin/sh', ['-c', `kill -s ${signal} -- -${pid}`], { stdio: 'ignore' }).on('error', () => undefined);
}

const NOT_INHERITED: ReadonlySet<string> = new Set([
  'MX2S_ACCESS_TOKEN',
  'MX2S_OTHER_ACCESS_TOKEN',
  'MX2S_PASSWORD',
  'MX2S_SENDER',
  'MX2S_TYPE',
]);
