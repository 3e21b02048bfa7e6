/** `mx2s serve` as a process of its own, in federation with what else is on loopback. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AUTHORITY, GOOD, KEY } from '../../http/certificates.js';
import { runBinary, startBinary, type BinaryResult, type RunningBinary } from '../../kit/binary.js';
import { makeTempDir } from '../../kit/temp-dir.js';
import { objectsOf } from './account.js';
import type { Session } from './matrix.js';

export interface Serve {
  readonly serverName: string;
  /** `@:SERVER_NAME` */
  readonly serverUser: string;
  /** `https://127.0.0.1:PORT` */
  readonly federationUrl: string;
  readonly alice: Session;
  readonly bob: Session;
  /** The first entry of the event log, of those there are and those to come, that has these fields. */
  logged(fields: Readonly<Record<string, unknown>>): Promise<LogEntry>;
  /** The first line on stderr, of those there are and those to come, in which the pattern is found. */
  said(pattern: RegExp): Promise<string>;
  /** Ends it as a user would, and gives the whole event log. */
  end(): Promise<LogEntry[]>;
  /** Ends it without a word (SIGKILL). */
  kill(): Promise<void>;
  /** Runs `mx2s ARGS` as alice. */
  run(args: readonly string[], stdin?: string): Promise<BinaryResult>;
}

export type LogEntry = Readonly<Record<string, unknown>>;

/** Starts servers in a folder of their own, and ends them. */
export class ServeHost {
  readonly #started: RunningBinary[] = [];
  readonly folder: string;
  readonly #remove: () => Promise<void>;

  private constructor(folder: string, remove: () => Promise<void>) {
    this.folder = folder;
    this.#remove = remove;
  }

  static async open(): Promise<ServeHost> {
    const { path, remove } = await makeTempDir();
    const files = { 'authority.crt': AUTHORITY, 'tls.crt': GOOD, 'tls.key': KEY };
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(path, name), text)));
    return new ServeHost(path, remove);
  }

  /** Starts `mx2s serve FLAGS` on free ports, and resolves when it answers. */
  async start(...flags: readonly string[]): Promise<Serve> {
    const running = startBinary(['serve', '--federation-port', '0', ...flags], { home: this.folder });
    this.#started.push(running);
    const ready = JSON.parse(await running.lineOf('stdout', /"ready":true/)) as ReadyLine;
    const [alice, bob] = ready.users.map((user) => sessionOf(ready.homeserver, user));
    if (alice === undefined || bob === undefined) throw new Error('serve has made no alice and bob');
    return {
      serverName: ready.server_name,
      serverUser: `@:${ready.server_name}`,
      federationUrl: ready.federation,
      alice,
      bob,
      logged: async (fields) => JSON.parse(await running.lineOf('stdout', patternOf(fields))) as LogEntry,
      said: (pattern) => running.lineOf('stderr', pattern),
      end: async () => {
        running.kill('SIGTERM');
        return objectsOf((await running.result).stdout).filter((line) => !('ready' in line));
      },
      kill: () => running.stop(),
      run: (args, stdin) => runBinary(args, { home: this.folder, stdin, env: environmentOf(alice) }),
    };
  }

  /** Runs `mx2s ARGS` to its end, in the folder and as nobody. */
  run(args: readonly string[]): Promise<BinaryResult> {
    return runBinary(args, { home: this.folder });
  }

  /** Ends what still runs, and removes the folder. */
  async close(): Promise<void> {
    for (const running of this.#started) await running.stop();
    await this.#remove();
  }
}

/** Whose certificates are good. */
export const TRUSTING = ['--federation-ca', 'authority.crt'];

/** A server and its peers show certificates of the test authority, and check them. */
export const VERIFYING = ['--tls-cert', 'tls.crt', '--tls-key', 'tls.key', ...TRUSTING];

/** A server makes its own certificate, and checks none. */
export const INSECURE = ['--federation-insecure'];

/** How `mx2s` is told of a session without a login. */
export function environmentOf({ baseUrl, accessToken }: Session): Record<string, string> {
  return { MX2S_HOMESERVER: baseUrl, MX2S_ACCESS_TOKEN: accessToken };
}

interface ReadyLine {
  readonly homeserver: string;
  readonly federation: string;
  readonly server_name: string;
  readonly users: readonly ReadyUser[];
}

interface ReadyUser {
  readonly user_id: string;
  readonly device_id: string;
  readonly access_token: string;
}

function sessionOf(baseUrl: string, user: ReadyUser): Session {
  return { baseUrl, userId: user.user_id, deviceId: user.device_id, accessToken: user.access_token };
}

/** A line that has each of these members, in whatever order. */
function patternOf(fields: Readonly<Record<string, unknown>>): RegExp {
  const members = Object.entries(fields).map(([key, value]) => {
    const text = `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    return `(?=.*${text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}[,}])`;
  });
  return new RegExp(`^${members.join('')}`);
}
