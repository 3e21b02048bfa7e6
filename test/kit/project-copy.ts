/** The project, copied as far as a build needs it: for a test that builds, or changes what is built. */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Copies it into `folder`, which is new; without `node_modules`. */
export async function copyProject(folder: string): Promise<void> {
  await mkdir(folder);
  await Promise.all(COPIED.map((name) => cp(join(PROJECT, name), join(folder, name), { recursive: true })));
}

export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = ['bin', 'build', 'src', 'package.json', 'tsconfig.json'];
