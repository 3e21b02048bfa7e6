/**
 * Builds the standalone executables, `mx2s-linux-x64` and `mx2s-linux-arm64`: the program, its packages and Bun in one
 * file; and beside them the licences of all of it. With the Bun that `npx` fetches: 100 MB that not everybody's `npm ci`
 * needs.
 *
 *     npm run build:binary [-- DIRECTORY]     default: dist
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { licenceText, writeLicences } from './licences.js';

const [directory = 'dist'] = process.argv.slice(2);
const { config } = JSON.parse(await readFile('package.json', 'utf8'));

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

function compile(arch, metafile) {
  execFileSync(
    'npx',
    [
      '--yes',
      '--package',
      `bun@${config.bun}`,
      'bun',
      'build',
      '--compile',
      '--minify',
      '--bytecode',
      '--splitting',
      '--format=esm',
      ...NOTHING_FROM_THE_FOLDER,
      ...FILES,
      `--metafile=${metafile}`,
      `--target=bun-linux-${arch}`,
      `--outfile=${join(directory, `mx2s-linux-${arch}`)}`,
      'build/standalone.ts',
    ],
    { stdio: 'inherit' },
  );
}

const scratch = await mkdtemp(join(tmpdir(), 'mx2s-build-'));
try {
  const metafile = join(scratch, 'metafile.json'); // the same for both
  for (const arch of ['x64', 'arm64']) compile(arch, metafile);
  await writeLicences(
    join(directory, 'mx2s-linux-licences.txt'),
    JSON.parse(await readFile(metafile, 'utf8')),
    await Promise.all([
      readFile('build/bun-licence.txt', 'utf8'),
      readFile('build/lgpl-2.1.txt', 'utf8'),
      licenceText('.'),
    ]),
  );
} finally {
  await rm(scratch, { recursive: true });
}
