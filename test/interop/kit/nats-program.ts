/** Finds the NATS server for the interop tests (vitest calls `setup` once a run), or says loudly that there is none. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

/** What a test finds under `inject('nats')`. */
export type NatsProgram = { readonly path: string } | { readonly missing: string };

declare module 'vitest' {
  interface ProvidedContext {
    nats: NatsProgram;
  }
}

export async function setup(project: TestProject): Promise<void> {
  const found = await findNatsServer();
  if ('missing' in found) process.stderr.write(skipNotice(found.missing));
  project.provide('nats', found);
}

/** The program of the system; else one that Go builds, once, into `.cache/nats-server-VERSION`. */
export async function findNatsServer(): Promise<NatsProgram> {
  const folder = join(PROJECT, '.cache', `nats-server-${VERSION}`);
  const built = join(folder, 'nats-server');
  // Debian puts it where only root looks
  for (const path of ['nats-server', '/usr/sbin/nats-server', built]) {
    if ((await run(path, ['--version'])) === undefined) return { path };
  }
  const source = `github.com/nats-io/nats-server/v2@${VERSION}`;
  const fault = await run('go', ['install', source], { GOBIN: folder });
  if (fault === undefined) return { path: built };
  return { missing: `no nats-server on the PATH, and "go install ${source}" fails (${fault})` };
}

/** Gives the last line that a failed command said, undefined for one that went well. */
function run(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(file, args, { env: { ...process.env, ...env } }, (error, _stdout, stderr) => {
      resolve(error === null ? undefined : (stderr.trim() || error.message).split('\n').at(-1));
    });
  });
}

function skipNotice(missing: string): string {
  const line = '*'.repeat(100);
  return [
    '',
    line,
    'SKIPPED: the interop tests of nats:// handlers. They need a real NATS server, and there is none:',
    missing,
    "Install Debian's package nats-server, or Go 1.23 or later.",
    line,
    '',
    '',
  ].join('\n');
}

/** Needs Go 1.23; the newest ones need the newest Go. */
const VERSION = 'v2.10.29';
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
