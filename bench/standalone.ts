/** Standalone executables: that of mx2s, and those of scripts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, type Program } from './programs.js';
import { MissingProgram } from './row.js';

/** That of this machine, built now, so that it is of the same source as the package. @throws MissingProgram */
export async function standalone(): Promise<Program> {
  if (process.platform !== 'linux')
    throw new MissingProgram('a standalone executable is built for Linux only');
  await run(process.execPath, [at('build/binary.js')], 'no standalone executable', at(''));
  const path = at(`dist/mx2s-linux-${process.arch}`);
  // what is in it answers in its place
  const version = await run(path, ['--version'], 'the executable does not run', at(''), { BUN_BE_BUN: '1' });
  return { path, versions: { Bun: version.trim() } };
}

/** A script of ours, compiled as mx2s is, below `folder`. @throws MissingProgram */
export async function compiled(name: string, folder: string): Promise<string> {
  const path = join(folder, name);
  const manifest = JSON.parse(await readFile(at('package.json'), 'utf8')) as { config: { bun: string } };
  const bun = ['--yes', '--package', `bun@${manifest.config.bun}`, 'bun', 'build'];
  const flags = ['--compile', '--minify', '--bytecode', '--format=esm', `--outfile=${path}`];
  await run('npx', [...bun, ...flags, at(`bench/peers/${name}.js`)], `${name} cannot be compiled`);
  return path;
}

function at(place: string): string {
  return fileURLToPath(new URL(`../${place}`, import.meta.url));
}
