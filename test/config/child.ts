/** Real processes for tests of what holds between processes: a source file bundled, run by Node, one JSON line out. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles `script`, TypeScript that may import from `../../src/`, into `directory` and gives the file's path. */
export async function bundleScript(directory: string, name: string, script: string): Promise<string> {
  const outfile = join(directory, `${name}.mjs`);
  await build({
    stdin: { contents: script, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
    },
    outfile,
    logLevel: 'warning',
  });
  return outfile;
}

export interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves at the first byte of its stdout. */
  readonly speaks: Promise<void>;
  /** Resolves with its stdout when it has ended. */
  readonly ended: Promise<string>;
}

export function startChild(file: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [file, ...args], { stdio: 'pipe' });
  child.stderr.pipe(process.stderr, { end: false });
  return {
    process: child,
    speaks: new Promise((resolve) => child.stdout.once('data', () => resolve())),
    ended: text(child.stdout),
  };
}
