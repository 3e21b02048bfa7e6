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

/**
 * Where the modules are when it runs, for those that ask: without this, where they were when it was built. SQLite has its
 * code in a file beside its module.
 */
const FILES = [
  '--define=__dirname="/$bunfs/root"',
  '--define=__filename="/$bunfs/root/mx2s"',
  '--asset=node_modules/node-sqlite3-wasm/dist/node-sqlite3-wasm.wasm',
];

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
      ...FILES,
      `--target=bun-linux-${arch}`,
      `--outfile=${join(directory, `mx2s-linux-${arch}`)}`,
      'build/standalone.ts',
    ],
    { stdio: 'inherit' },
  );
}
