/** A user of a homeserver with a home of its own for `mx2s`. */
import { randomBytes } from 'node:crypto';
import { runBinary, startBinary, type BinaryResult, type RunningBinary } from '../../kit/binary.js';
import { makeTempDir } from '../../kit/temp-dir.js';
import { registerUser, type HomeserverAddress } from './homeserver.js';

export interface Account {
  readonly name: string;
  readonly userId: string;
  readonly password: string;
  /** Runs `mx2s ARGS` to its end. */
  run(args: readonly string[], stdin?: string): Promise<BinaryResult>;
  /** Starts `mx2s ARGS` and leaves it running. */
  start(args: readonly string[]): RunningBinary;
  /** Runs `mx2s login` with the password. */
  login(): Promise<BinaryResult>;
  /** Ends what was started, and removes the home. */
  remove(): Promise<void>;
}

/** Registers a new user, so that no test finds the messages of another. */
export async function newAccount(homeserver: HomeserverAddress): Promise<Account> {
  const home = await makeTempDir();
  const name = `user-${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await registerUser(homeserver, name, password);
  const started: RunningBinary[] = [];
  const run: Account['run'] = (args, stdin) => runBinary(args, { home: home.path, stdin });
  return {
    name,
    userId: `@${name}:${homeserver.serverName}`,
    password,
    run,
    start: (args) => {
      const running = startBinary(args, { home: home.path });
      started.push(running);
      return running;
    },
    login: () => run(['login', homeserver.baseUrl, '--user', name, '--password-file', '-'], password),
    remove: async () => {
      for (const running of started) await running.stop();
      await home.remove();
    },
  };
}

/** The objects of NDJSON output. */
export function objectsOf(ndjson: string): Record<string, unknown>[] {
  return ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
