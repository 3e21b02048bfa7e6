/**
 * Builds the standalone executables, `mx2s-linux-x64` and `mx2s-linux-arm64`: the program, its packages and Bun in one
 * file. `npm run build:binary` runs it, with the Bun that `npx` fetches: 100 MB that not everybody's `npm ci` needs.
 *
 *     node build/binary.js [DIRECTORY]     default: dist
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const [directory = 'dist'] = process.argv.slice(2);

/** What Bun would take from the folder that the program is started in: the settings of a stranger, and code by `preload`. */
const NOTHING_FROM_THE_FOLDER = ['dotenv', 'bunfig', 'tsconfig', 'package-json'].map(
  (name) => `--no-compile-autoload-${name}`,
);

for (const arch of ['x64', 'arm64']) {
  execFileSync(
    'npx',
    [
      '--yes',
      '--package',
      'bun@1.4.5',
      'bun',
      'build',
      '--compile',
      '--minify',
      '--bytecode',
      '--splitting',
      '--format=esm',
      ...NOTHING_FROM_THE_FOLDER,
      `--target=bun-linux-${arch}`,
      `--outfile=${join(directory, `mx2s-linux-${arch}`)}`,
      'build/standalone.ts',
    ],
    { stdio: 'inherit' },
  );
}
