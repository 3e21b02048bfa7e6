/** A real PostgreSQL of its own: an empty cluster in a temporary folder, on a unix socket there and nowhere else. */
import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { access, chown, constants, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { end } from './homeserver-process.js';

/** Where its programs are, and who runs them. Plain values, so that they can cross to the test workers. */
export interface PostgresPrograms {
  readonly folder: string;
  readonly version: string;
  /** Undefined: whoever runs this. PostgreSQL refuses to be run by root. */
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
}

export interface Postgres {
  /** What `libpq` takes: the folder of the socket in place of a host, a role, and an empty database in locale C. */
  readonly connection: { readonly host: string; readonly user: string; readonly dbname: string };
  /** Ends it: in order, connections cut (`SIGINT`); or at once, to recover when it starts again (`SIGQUIT`). */
  halt(signal: 'SIGINT' | 'SIGQUIT'): Promise<void>;
  /** Starts it again, and resolves when it takes connections. */
  resume(): Promise<void>;
  /** Ends it, and removes the folder. */
  stop(): Promise<void>;
}

/** Finds the programs on the PATH, or where Debian puts them. */
export async function findPostgres(
  env: NodeJS.ProcessEnv,
): Promise<PostgresPrograms | { readonly missing: string }> {
  const onPath = (env['PATH'] ?? '').split(delimiter);
  for (const folder of [...onPath, ...(await debianFolders())]) {
    if (!(await isProgram(join(folder, 'initdb'))) || !(await isProgram(join(folder, 'postgres')))) continue;
    const { stdout } = await run(join(folder, 'postgres'), ['--version']);
    const version = /\d+(\.\d+)*/.exec(stdout)?.[0] ?? stdout.trim();
    if (process.getuid?.() !== 0) return { folder, version, account: undefined };
    const account = await accountOf('postgres');
    if (account !== undefined) return { folder, version, account };
    return { missing: 'PostgreSQL refuses to be run by root, and there is no user postgres to run it' };
  }
  return { missing: `no PostgreSQL: no initdb on the PATH or in ${DEBIAN}` };
}

/** Starts a cluster with the settings it comes with: what it says is stored is on the disk. */
export async function startPostgres({ folder: bin, account }: PostgresPrograms): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), 'mx2s-postgres-'));
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  const asWhom = { cwd: folder, env: { PATH: bin, LC_ALL: 'C' }, ...account };
  const flags = ['--username', ROLE, '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'];
  await run(join(bin, 'initdb'), ['--pgdata', join(folder, DATA), ...flags], asWhom);

  let child: ChildProcess | undefined;
  const endAtExit = () => child?.kill('SIGQUIT'); // which takes its own children along
  process.once('exit', endAtExit);
  const postgres: Postgres = {
    connection: { host: folder, user: ROLE, dbname: 'postgres' },
    halt: (signal) => end(child, signal),
    resume: async () => {
      child = await start(join(bin, 'postgres'), folder, asWhom);
    },
    stop: async () => {
      await end(child, 'SIGINT');
      process.off('exit', endAtExit);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await postgres.resume();
  return postgres;
}

/** Starts the program and waits until it takes connections. Its log goes to stderr. */
async function start(program: string, folder: string, asWhom: SpawnOptions): Promise<ChildProcess> {
  const child = spawn(program, ['-D', join(folder, DATA), '-k', folder, '-c', 'listen_addresses='], {
    ...asWhom,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { stderr } = child;
  if (stderr === null) throw new Error('PostgreSQL cannot be listened to');
  const said: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    said.push(line);
    if (line.includes(READY)) break;
  }
  stderr.resume();
  if (said.at(-1)?.includes(READY) === true) return child;
  throw new Error(`PostgreSQL did not start; it said:\n${said.join('\n')}`);
}

/** The newest first. */
async function debianFolders(): Promise<string[]> {
  const versions = await readdir(DEBIAN).catch(() => []);
  return versions
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => join(DEBIAN, version, 'bin'));
}

async function isProgram(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function accountOf(user: string): Promise<PostgresPrograms['account']> {
  const ask = async (flag: string) => Number((await run('id', [flag, user])).stdout);
  return await Promise.all([ask('-u'), ask('-g')]).then(
    ([uid, gid]) => ({ uid, gid }),
    () => undefined,
  );
}

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';
const DATA = 'data';
const ROLE = 'synapse';
const READY = 'database system is ready to accept connections';
