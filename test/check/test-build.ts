/** Builds of the program from a copy of its source: as it is, or with one place rewritten. */
import { execFile } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT, copyProject } from '../kit/project-copy.js';
import type { Mutant } from './mutants.js';

export type Rewrite = Pick<Mutant, 'file' | 'find' | 'replace'>;

/**
 * Copies the project into `folder`, which is new, rewrites it and builds it by the script that builds it for
 * everybody. Gives the path of the program.
 * @throws Error when what is to be rewritten does not stand there exactly once, or the build fails
 */
export async function buildProgram(folder: string, rewrite?: Rewrite): Promise<string> {
  await copyProject(folder);
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  if (rewrite !== undefined) {
    const path = join(folder, 'src', rewrite.file);
    await writeFile(path, rewritten(await readFile(path, 'utf8'), rewrite));
  }
  await promisify(execFile)('sh', ['-c', await buildScript()], { cwd: folder, env: { PATH } });
  return join(folder, 'bin/mx2s.js');
}

/** The source with the one place rewritten. @throws Error unless it is one place */
export function rewritten(source: string, { file, find, replace }: Rewrite): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    const count = after === undefined ? 'does not stand' : `stands ${String(more.length + 1)} times`;
    throw new Error(`src/${file}: what a mutant rewrites ${count} there, and must exactly once: ${find}`);
  }
  return before + replace + after;
}

async function buildScript(): Promise<string> {
  const { scripts } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8')) as {
    scripts: { 'build:code': string };
  };
  return scripts['build:code'];
}

/** As npm sets it for a script. */
const PATH = `${join(PROJECT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`;
