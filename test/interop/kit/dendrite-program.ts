/** Finds Dendrite for the interop tests, or builds it with Go, once; or says loudly that there is none. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const DENDRITE_VERSION = '0.15.2';

/** The program; or, where this machine cannot have it, what is missing. */
export type DendriteProgram = { readonly path: string } | { readonly missing: string };

/**
 * The program of `.cache/dendrite-VERSION`, which Go builds if it is not there yet (about four minutes on two cores;
 * seconds, if Go has built it before). `MX2S_DENDRITE` names a program to use in its place.
 *
 * Where it is missing, and before it is built, stderr says so.
 */
export async function dendriteProgram(env: NodeJS.ProcessEnv): Promise<DendriteProgram> {
  const found = await findOrBuild(env);
  if ('missing' in found) process.stderr.write(skipNotice(found.missing));
  return found;
}

async function findOrBuild(env: NodeJS.ProcessEnv): Promise<DendriteProgram> {
  const folder = join(PROJECT, '.cache', `dendrite-${DENDRITE_VERSION}`);
  const path = env['MX2S_DENDRITE'] ?? join(folder, 'dendrite');
  if ((await run(path, ['--version'])).ok) return { path };
  if (env['MX2S_DENDRITE'] !== undefined) return { missing: `no Dendrite: "${path} --version" fails` };

  const go = await run('go', ['version']);
  if (!go.ok) return { missing: `no Go: "go version" fails (${go.lastLine})` };
  process.stderr.write(`building Dendrite ${DENDRITE_VERSION} with Go: this takes minutes, once\n`);
  await mkdir(folder, { recursive: true });
  // built aside, so that nobody finds a half of it
  const aside = await mkdtemp(join(folder, 'build-'));
  try {
    // "go install PACKAGE@VERSION" would also ask which versions there are, which not every proxy tells
    await writeFile(join(aside, 'go.mod'), 'module build\n');
    for (const args of [
      ['get', `${PACKAGE}@v${DENDRITE_VERSION}`],
      ['build', '-o', 'dendrite', PACKAGE],
    ]) {
      const { ok, lastLine } = await run('go', args, aside);
      if (!ok) return { missing: `no Dendrite: "go ${args.join(' ')}" fails (${lastLine})` };
    }
    await rename(join(aside, 'dendrite'), path);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return { path };
}

function run(
  file: string,
  args: readonly string[],
  cwd?: string,
): Promise<{ ok: boolean; lastLine: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      const said = stderr.trim() || stdout.trim() || (error?.message ?? '');
      resolve({ ok: error === null, lastLine: said.split('\n').at(-1) ?? '' });
    });
  });
}

function skipNotice(missing: string): string {
  const line = '*'.repeat(100);
  return [
    '',
    line,
    'SKIPPED: the interop tests with Dendrite. They need a real one, and this machine cannot have it:',
    missing,
    'Install Go 1.24 or later, or name a Dendrite in MX2S_DENDRITE.',
    line,
    '',
    '',
  ].join('\n');
}

const PACKAGE = 'github.com/element-hq/dendrite/cmd/dendrite';
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
/** Go names everything that it downloads. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
