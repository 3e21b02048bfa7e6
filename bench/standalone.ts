/** The standalone executable of mx2s. */
import { access, constants } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Program } from './programs.js';
import { MissingProgram } from './row.js';

/** That of this machine, as `npm run build:binary` makes it. @throws MissingProgram */
export async function standalone(): Promise<Program> {
  const name = `mx2s-${process.platform}-${process.arch}`;
  const path = fileURLToPath(new URL(`../dist/${name}`, import.meta.url));
  try {
    await access(path, constants.X_OK);
  } catch {
    throw new MissingProgram(
      `no standalone executable: there is no dist/${name}, which "npm run build:binary" makes`,
    );
  }
  return { path, versions: {} };
}
