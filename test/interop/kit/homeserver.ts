/** What the tests need of a real homeserver, whichever it is: an address, a process, accounts. */
import type { ChildProcess } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end, start, untilItAnswers, type ProcessProgram } from './homeserver-process.js';
import { call, login, type Session } from './matrix.js';

/** Plain values, so that they can cross to the test workers. */
export interface HomeserverAddress {
  /** The client API, without TLS. */
  readonly baseUrl: string;
  /** `localhost:PORT`: other servers reach it there over TLS, unless it was given another name. */
  readonly serverName: string;
  /** Where the federation API is. */
  readonly federationPort: number;
  readonly registrationSecret: string;
}

export interface HomeserverProcess {
  /** Ends the process; what it has stored stays. */
  halt(): Promise<void>;
  /** Starts it again, and resolves when it answers. */
  resume(): Promise<void>;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

/** Its folder goes with it. */
export interface HomeserverProgram extends ProcessProgram {
  /** For errors. */
  readonly name: string;
  /** Where it is to answer. */
  readonly baseUrl: string;
  /** Done after the first start. */
  readonly prepare?: (() => Promise<void>) | undefined;
}

/** A folder of its own for a homeserver, with these files: name → text. */
export async function makeHomeserverFolder(
  name: string,
  filesIn: (folder: string) => Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `mx2s-${name}-`));
  await Promise.all(
    Object.entries(filesIn(folder)).map(([file, text]) => writeFile(join(folder, file), text)),
  );
  return folder;
}

/** Starts a homeserver, and waits until it answers. If it does not, the error holds the end of its log. */
export async function startHomeserver(program: HomeserverProgram): Promise<HomeserverProcess> {
  const { name, folder, baseUrl, prepare } = program;
  let child: ChildProcess | undefined;
  const killAtExit = () => child?.kill('SIGKILL');
  process.once('exit', killAtExit);

  const homeserver: HomeserverProcess = {
    halt: () => end(child),
    resume: async () => {
      child = start(program, LOG);
      await untilItAnswers(child, () => fetch(`${baseUrl}/_matrix/client/versions`).then(({ ok }) => ok));
    },
    stop: async () => {
      await end(child);
      process.off('exit', killAtExit);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await homeserver.resume();
    await prepare?.();
  } catch (error) {
    const said = await readFile(join(folder, LOG), 'utf8');
    await homeserver.stop();
    throw new Error(`${name} did not start; it said:\n${said.slice(-3000)}`, { cause: error });
  }
  return homeserver;
}

// --- accounts ---------------------------------------------------------------------------------------------

/** Registers a user by the shared secret (Synapse's admin API, "Shared-Secret Registration"; Dendrite has it, too). */
export async function registerUser(
  homeserver: HomeserverAddress,
  name: string,
  password: string,
  role: 'admin' | 'notadmin' = 'notadmin',
): Promise<void> {
  const url = `${homeserver.baseUrl}/_synapse/admin/v1/register`;
  const { nonce } = await call('GET', url);
  const mac = createHmac('sha1', homeserver.registrationSecret)
    .update([nonce, name, password, role].join('\0'))
    .digest('hex');
  await call('POST', url, { body: { nonce, username: name, password, admin: role === 'admin', mac } });
}

/** Logs a user in by password. */
export function loginUser(homeserver: HomeserverAddress, name: string, password: string): Promise<Session> {
  return login(homeserver.baseUrl, {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: name },
    password,
  });
}

/** A new user, so that no test finds the messages of another, logged in. */
export async function newSession(homeserver: HomeserverAddress): Promise<Session> {
  const name = `user-${randomBytes(6).toString('hex')}`;
  await registerUser(homeserver, name, name);
  return loginUser(homeserver, name, name);
}

const LOG = 'stdout.log';
