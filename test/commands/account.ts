/** An embedded homeserver, a directory for our files, and the program run against both. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startServer, type RunningServer, type ServerOptions } from '../../src/server/listen.js';
import { runCli, startCli, type Finished, type RunSettings, type Running } from '../kit/run-cli.js';
import { makeTempDir } from '../kit/temp-dir.js';

export interface Place {
  /** Where our files are. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  run(argv: readonly string[], settings?: RunSettings): Promise<Finished>;
  start(argv: readonly string[], settings?: RunSettings): Running;
  /** Every file below the directory, with its text. */
  files(): Promise<Map<string, string>>;
  /** The access token of a profile, as it is stored. */
  storedToken(profile?: string): Promise<string>;
}

/** A directory of its own; all is removed with the test. */
export async function openPlace(): Promise<Place> {
  const directory = await makeTempDir();
  onTestFinished(() => directory.remove());
  const env = { MX2S_CONFIG_DIR: directory.path };
  const withEnv = (settings: RunSettings = {}): RunSettings => ({
    ...settings,
    env: { ...env, ...settings.env },
  });
  const profilesFile = join(directory.path, 'profiles.json');
  return {
    directory: directory.path,
    env,
    run: (argv, settings) => runCli(argv, withEnv(settings)),
    start: (argv, settings) => startCli(argv, withEnv(settings)),
    storedToken: async (profile = 'default') => {
      const stored = JSON.parse(await readFile(profilesFile, 'utf8')) as StoredProfiles;
      return stored.profiles[profile]?.access_token ?? '';
    },
    files: async () => {
      const entries = await readdir(directory.path, { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
      return new Map(
        await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)),
      );
    },
  };
}

interface StoredProfiles {
  readonly profiles: Readonly<Record<string, { readonly access_token: string }>>;
}

/** A homeserver that stops with the test. */
export async function openServer(options: ServerOptions = {}): Promise<RunningServer> {
  const server = await startServer({
    users: [{ name: 'alice', password: PASSWORD }, { name: 'bob' }],
    ...options,
  });
  onTestFinished(() => server.stop());
  return server;
}

/** The last line of a stream as JSON. */
export function lastJson(text: string): Record<string, unknown> {
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

/** The password of alice; long and odd enough to be found wherever it leaks. */
export const PASSWORD = 'correct-horse-battery-staple-ß';
