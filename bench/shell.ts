/** Times programs the way they are used: by a shell that runs them one after the other. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Run {
  /** The program and its arguments. */
  readonly command: readonly [file: string, ...args: string[]];
  readonly env: Readonly<Record<string, string>>;
  /** How often it is run in one measurement; default once. */
  readonly times?: number | undefined;
  /** The file that is its stdin; default none. */
  readonly stdin?: string | undefined;
  /** Where its stdout goes; default nowhere, as with other stopwatches. */
  readonly stdout?: string | undefined;
  /** Does the shell read its stdout, as in `$(…)`? */
  readonly isCaptured?: boolean | undefined;
  /** The exit status of a run that did its work; default 0. */
  readonly status?: number | undefined;
}

/** The wall time of one run, in milliseconds. @throws Error with what it said when it does not do its work */
export async function wallTimeMs({
  command,
  env,
  times = 1,
  stdin = '/dev/null',
  stdout = '/dev/null',
  isCaptured = false,
  status = 0,
}: Run): Promise<number> {
  const startMs = performance.now();
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      isCaptured ? CAPTURING_LOOP : LOOP,
      'sh',
      ...[times, stdin, stdout, status].map(String),
      ...command,
    ],
    {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  const elapsedMs = performance.now() - startMs;
  if (code !== 0) throw new Error(`${command.join(' ')} did not do its work; it said:\n${said.slice(-3000)}`);
  return elapsedMs / times;
}

const LOOP = loopOf('"$@" <"$stdin" >"$stdout"');
const CAPTURING_LOOP = loopOf('said=$("$@" <"$stdin")');

function loopOf(run: string): string {
  return `
times=$1 stdin=$2 stdout=$3 wanted=$4
shift 4
while [ "$times" -gt 0 ]; do
  status=0
  ${run} || status=$?
  [ "$status" = "$wanted" ] || exit 1
  times=$((times - 1))
done`;
}
