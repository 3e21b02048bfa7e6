/** Finds the programs that are compared with, or builds them, once for each state of their source. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { MissingProgram } from './row.js';

export interface Program {
  readonly path: string;
  /** What it is, or was made with → version. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The homeserver, the load and the stopwatch of the bench: Go, without packages. @throws MissingProgram */
export async function wireProgram(name: 'sink' | 'load' | 'latency'): Promise<Program> {
  const { folder, compiler } = await built('wire', GO, ['build', '-trimpath', '-o', OUTPUT, './...']);
  return { path: join(folder, name), versions: { Go: compiler } };
}

/** @throws MissingProgram */
export async function mautrixPeer(): Promise<Program> {
  const { folder, compiler } = await built('mautrix', GO, ['build', '-trimpath', '-o', OUTPUT, '.']);
  const version = await versionIn('mautrix/go.mod', /mautrix v(\S+)/);
  return { path: join(folder, 'mautrix-peer'), versions: { Go: compiler, 'mautrix-go': version } };
}

/** @throws MissingProgram */
export async function rumaValidator(): Promise<Program> {
  const { folder, compiler } = await built('ruma', CARGO, [
    'build',
    '--release',
    '--locked',
    '--target-dir',
    OUTPUT,
  ]);
  const version = await versionIn('ruma/Cargo.toml', /ruma-identifiers-validation = "=(.*)"/);
  return {
    path: join(folder, 'release', 'ruma-validate'),
    versions: { Rust: compiler, 'ruma-identifiers-validation': version },
  };
}

/** @throws MissingProgram */
export async function curl(): Promise<Program> {
  const [, version = ''] = (await run('curl', ['--version'], 'no curl')).split(' ');
  return { path: 'curl', versions: { curl: version } };
}

/** A script of ours, and the package that it uses. */
export async function script(name: string, packageName?: string): Promise<Program> {
  const path = fileURLToPath(new URL(`${name}.js`, PEERS));
  if (packageName === undefined) return { path, versions: {} };
  const manifest = await readFile(join(PROJECT, 'node_modules', packageName, 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  return { path, versions: { [packageName]: version } };
}

/** A script of ours with the package that it uses in one file, below `folder`: made as our own program is. */
export async function bundledScript(name: string, folder: string): Promise<string> {
  const outfile = join(folder, `${name}.cjs`);
  const entry = fileURLToPath(new URL(`${name}.js`, PEERS));
  const minified = { minifyWhitespace: true, minifySyntax: true };
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'cjs', ...minified });
  return outfile;
}

interface Compiler {
  readonly command: 'go' | 'cargo';
  readonly versionArgs: readonly string[];
  readonly versionPattern: RegExp;
  readonly missing: string;
}

interface Built {
  readonly folder: string;
  /** The version of what built it. */
  readonly compiler: string;
}

/** Builds aside, so that nobody finds a half of it. An older state of the source is another folder. */
async function built(name: string, compiler: Compiler, args: readonly string[]): Promise<Built> {
  const source = fileURLToPath(new URL(name, PEERS));
  const folder = join(CACHE, `${name}-${await digestOf(source)}`);
  const note = join(folder, 'compiler');
  const before = await readFile(note, 'utf8').catch(() => undefined);
  if (before !== undefined) return { folder, compiler: before };

  const { command, versionArgs, versionPattern, missing } = compiler;
  const said = await run(command, versionArgs, missing);
  const version = versionPattern.exec(said)?.[1] ?? said.trim();
  process.stderr.write(`building bench/peers/${name} with ${command}: once\n`);
  await mkdir(CACHE, { recursive: true });
  const aside = await mkdtemp(join(CACHE, 'build-'));
  try {
    const buildArgs = args.map((arg) => (arg === OUTPUT ? `${aside}/` : arg));
    await run(command, buildArgs, `bench/peers/${name} cannot be built`, source, BUILD_ENV);
    await writeFile(join(aside, 'compiler'), version);
    await rm(folder, { recursive: true, force: true });
    await rename(aside, folder);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return { folder, compiler: version };
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  for (const file of files.sort()) hash.update(`${relative(folder, file)}\0`).update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

async function versionIn(file: string, pattern: RegExp): Promise<string> {
  return pattern.exec(await readFile(new URL(file, PEERS), 'utf8'))?.[1] ?? 'unknown';
}

/** Gives stdout. @throws MissingProgram `missing`, when it fails, with the last line that it said */
export function run(
  file: string,
  args: readonly string[],
  missing: string,
  cwd?: string,
  own: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { ...process.env, ...own };
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd, env, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const lastLine = (stderr.trim() || error.message).split('\n').at(-1) ?? '';
      reject(new MissingProgram(`${missing}: "${[file, ...args].join(' ')}" fails (${lastLine})`));
    });
  });
}

/** What is built runs on this machine only, so no C compiler is needed. */
const BUILD_ENV = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' };
/** In the arguments of a build, the folder that it goes to. */
const OUTPUT = '{output}';
const GO: Compiler = {
  command: 'go',
  versionArgs: ['version'],
  versionPattern: /go version go(\S+)/,
  missing: 'no Go',
};
const CARGO: Compiler = {
  command: 'cargo',
  versionArgs: ['--version'],
  versionPattern: /cargo (\S+)/,
  missing: 'no Rust',
};
const PEERS = new URL('peers/', import.meta.url);
const PROJECT = fileURLToPath(new URL('../', import.meta.url));
const CACHE = join(PROJECT, '.cache', 'bench');
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
