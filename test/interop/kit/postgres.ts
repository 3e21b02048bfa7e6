/** A real PostgreSQL of its own: an empty cluster in a temporary folder, on a unix socket there and nowhere else. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chown, constants, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

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
  const data = join(folder, 'data');
  const flags = ['--username', ROLE, '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'];
  await run(join(bin, 'initdb'), ['--pgdata', data, ...flags], asWhom);

  const child = spawn(join(bin, 'postgres'), ['-D', data, '-k', folder, '-c', 'listen_addresses='], {
    ...asWhom,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  const endAtOnce = () => child.kill('SIGQUIT'); // which takes its children along
  process.once('exit', endAtOnce);
  const stop = async () => {
    child.kill('SIGINT');
    await ended;
    process.off('exit', endAtOnce);
    await rm(folder, { recursive: true, force: true });
  };
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (line.includes(READY)) break;
  }
  child.stderr.resume();
  if (said.at(-1)?.includes(READY) !== true) {
    await stop();
    throw new Error(`PostgreSQL did not start; it said:\n${said.join('\n')}`);
  }
  return { connection: { host: folder, user: ROLE, dbname: 'postgres' }, stop };
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
const ROLE = 'synapse';
const READY = 'database system is ready to accept connections';
