/** Runs transcripts: each command in one shell, its output held against what the transcript says. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { BINARY, isolatedEnv, startBinary, type RunningBinary } from './binary.js';
import { makeTempDir } from './temp-dir.js';
import { matchOutput, type CommandStep, type DirectiveStep, type Step } from './transcript-format.js';

/** A step that did not go as written; vitest shows `expected` and `actual` as a difference. */
export class TranscriptError extends Error {
  readonly expected: string;
  readonly actual: string;

  constructor(where: string, expected: string, actual: string) {
    super(`${where} did not give what the transcript says`);
    this.name = 'TranscriptError';
    this.expected = expected;
    this.actual = actual;
  }
}

/**
 * Runs the steps one after the other in a folder of their own, and ends whatever they started.
 *
 * @param name of the file, for messages
 * @throws TranscriptError at the first step whose output or exit status differs
 */
export async function runTranscript(name: string, steps: readonly Step[]): Promise<void> {
  const dir = await makeTempDir();
  const session = await openSession(name, dir.path);
  try {
    for (const step of steps) {
      await (step.kind === 'command' ? runCommand(session, step) : obey(session, step));
    }
  } finally {
    await session.shell.stop();
    for (const server of session.servers) await server.stop();
    await dir.remove();
  }
}

interface Session {
  readonly name: string;
  readonly home: string;
  readonly shell: Shell;
  readonly servers: RunningBinary[];
  /** What `<name>` and `$name` stand for. */
  readonly values: Map<string, string>;
  /** Text of the page → the name of the value that takes its place (`@where`). */
  readonly replacements: Map<string, string>;
}

async function openSession(name: string, home: string): Promise<Session> {
  const bin = join(home, 'bin');
  const work = join(home, 'work');
  await Promise.all([mkdir(bin), mkdir(work)]);
  await symlink(BINARY, join(bin, 'mx2s')); // as npm installs it
  const env = isolatedEnv(home);
  const shell = openShell(work, { ...env, PATH: `${bin}:${env['PATH'] ?? ''}` });
  return { name, home, shell, servers: [], values: new Map(), replacements: new Map() };
}

// --- commands ---------------------------------------------------------------------------------------------

async function runCommand(session: Session, step: CommandStep): Promise<void> {
  const { values } = session;
  const where = `${session.name}:${String(step.line)} $ ${step.command}`;
  const [stdoutFile, stderrFile] = [join(session.home, 'stdout'), join(session.home, 'stderr')];
  const target = step.stderr === 'merged' ? '2>&1' : `2>'${stderrFile}'`;
  const command = replaced(session, step.command, (name) => values.get(name) ?? '');
  const exitCode = await session.shell.run(`{\n${command}\n} </dev/null >'${stdoutFile}' ${target}`, where);

  const stderr = step.stderr === 'merged' ? '' : await readFile(stderrFile, 'utf8');
  if (step.exitCode !== undefined && exitCode !== step.exitCode) {
    const saying = stderr === '' ? '' : `, and stderr says: ${stderr}`;
    throw new TranscriptError(where, `exit ${String(step.exitCode)}`, `exit ${String(exitCode)}${saying}`);
  }
  await expectOutput(session, where, step.stdout, await readFile(stdoutFile, 'utf8'));
  if (step.stderr !== 'merged') await expectOutput(session, `${where} (stderr)`, step.stderr, stderr);
}

async function expectOutput(
  session: Session,
  where: string,
  lines: readonly string[],
  actual: string,
): Promise<void> {
  const expected = lines.map((line) => replaced(session, line, (name) => `<${name}>`));
  const found = matchOutput(expected, actual, session.values);
  if (found === undefined) throw new TranscriptError(where, comparable(expected, actual, session), actual);
  for (const [name, value] of found) await remember(session, name, value);
}

/** What was expected, with the lines that do match as they came, so that a difference shows only what is wrong. */
function comparable(expected: readonly string[], actual: string, { values }: Session): string {
  const came = actual.split('\n');
  return expected
    .map((line, index) => {
      const counterpart = came[index];
      return counterpart !== undefined && matchOutput([line], `${counterpart}\n`, values)
        ? counterpart
        : line;
    })
    .map((line) => `${line}\n`)
    .join('');
}

function replaced(session: Session, text: string, byName: (name: string) => string): string {
  return [...session.replacements].reduce(
    (result, [from, name]) => result.replaceAll(from, byName(name)),
    text,
  );
}

async function remember(session: Session, name: string, value: string): Promise<void> {
  session.values.set(name, value);
  await session.shell.run(`${name}=${quoted(value)}`, name);
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

// --- directives -------------------------------------------------------------------------------------------

async function obey(session: Session, { line, words }: DirectiveStep): Promise<void> {
  const [directive, ...args] = words;
  if (directive === '@serve') return await serve(session, args);
  if (directive === '@as' && args.length === 1) {
    return void (await session.shell.run(
      `export MX2S_HOMESERVER="$homeserver" MX2S_ACCESS_TOKEN="$${String(args[0])}_token"`,
      '@as',
    ));
  }
  if (directive === '@where' && args.length === 3 && args[1] === 'is') {
    return void session.replacements.set(String(args[0]), String(args[2]).replace('$', ''));
  }
  throw new Error(`${session.name}:${String(line)} ${words.join(' ')}: there is no such directive`);
}

/** Starts `mx2s serve` as `example.org` and gives its address, users and tokens names. */
async function serve(session: Session, flags: readonly string[]): Promise<void> {
  const server = startBinary(['serve', '--server-name', 'example.org', ...flags], { home: session.home });
  session.servers.push(server);
  const ready = JSON.parse(await server.lineOf('stdout', /"ready":true/)) as ReadyLine;
  await remember(session, 'homeserver', ready.homeserver);
  for (const user of ready.users) {
    const name = user.user_id.replace(/^@(.*?):.*$/, '$1');
    await remember(session, `${name}_token`, user.access_token);
    await remember(session, `${name}_device`, user.device_id);
    if (user.password !== undefined) await remember(session, `${name}_password`, user.password);
  }
}

interface ReadyLine {
  readonly homeserver: string;
  readonly users: readonly {
    readonly user_id: string;
    readonly device_id: string;
    readonly access_token: string;
    readonly password?: string;
  }[];
}

// --- the shell --------------------------------------------------------------------------------------------

interface Shell {
  /** Runs a line of shell and resolves with its exit status. */
  run(script: string, where: string): Promise<number>;
  /** Ends the shell and everything it started. */
  stop(): Promise<void>;
}

/** One shell for all commands of a transcript, so that variables, `cd`, `$?` and background jobs last. */
function openShell(cwd: string, env: Record<string, string>): Shell {
  // A process group of its own, so that background jobs can be ended with it. Statuses come over fd 3.
  const child = spawn('sh', [], { cwd, env, stdio: ['pipe', 'ignore', 'pipe', 'pipe'], detached: true });
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const statuses = statusLines(child);
  const ended = once(child, 'close');
  return {
    run: async (script, where) => {
      child.stdin?.write(`${script}\n_status=$?; echo $_status >&3; (exit $_status)\n`);
      const timer = setTimeout(() => killGroup(child), COMMAND_TIMEOUT_MS);
      const { value, done } = await statuses.next();
      clearTimeout(timer);
      if (done === true)
        throw new Error(`${where}: the shell ended or took too long; it said: ${complaints}`);
      return Number(value);
    },
    stop: async () => {
      killGroup(child);
      await ended;
    },
  };
}

function statusLines(child: ChildProcess): AsyncIterator<string> {
  const lines: Interface = createInterface({ input: child.stdio[3] as NodeJS.ReadableStream });
  return lines[Symbol.asyncIterator]();
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The whole group has ended already.
  }
}

const COMMAND_TIMEOUT_MS = 30_000;
