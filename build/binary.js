/**
 * Builds the standalone executables, `dist/mx2s-linux-x64` and `dist/mx2s-linux-arm64`: the program, its packages and Bun
 * in one file. `npm run build:binary` runs it, with the Bun that `npx` fetches: 100 MB that not everybody's `npm ci` needs.
 */
import { execFileSync } from 'node:child_process';

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
      `--target=bun-linux-${arch}`,
      `--outfile=dist/mx2s-linux-${arch}`,
      'build/standalone.ts',
    ],
    { stdio: 'inherit' },
  );
}
