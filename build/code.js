/**
 * Builds `dist/`: the program that `bin/` starts, and the library.
 *
 * Start-up is what people wait for every time. So the program becomes CommonJS, which Node loads without starting its
 * loader of ES modules, and is made in two steps: esbuild makes JavaScript of TypeScript and takes commander in; Rollup
 * knows, as esbuild does not, that what main.ts has loaded needs no file of its own to be shared with a subcommand.
 */
import { build } from 'esbuild';
import { resolve } from 'node:path';
import { rollup } from 'rollup';
import { writeLicences } from './licences.js';

const OUTPUT = 'dist';
const ALWAYS = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  outdir: OUTPUT,
  logLevel: 'warning',
};

/** A file for each subcommand, and a few that they share. Packages but commander stay outside. */
async function buildProgram() {
  const { outputFiles, metafile } = await build({
    ...ALWAYS,
    entryPoints: ['src/main.ts'],
    splitting: true,
    plugins: [commanderAlone, packagesOutside],
    // not the names: they stand in the stack of a bug
    minifyWhitespace: true,
    minifySyntax: true,
    metafile: true,
    write: false,
  });
  const modules = new Map(outputFiles.map(({ path, text }) => [path, text]));
  const program = await rollup({
    input: resolve(OUTPUT, 'main.js'),
    external: (id) => !id.startsWith('.') && !modules.has(id),
    plugins: [fromMemory(modules), builtinsByRequire],
    treeshake: false, // esbuild has done it
    preserveEntrySignatures: 'allow-extension', // main.cjs itself is what subcommands import from
  });
  await program.write({
    dir: OUTPUT,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    manualChunks: fewerFiles,
    chunkFileNames: ({ name }) => `${name.replace(/-[A-Z0-9]{8}$/, '')}-[hash].cjs`,
    compact: true,
    hoistTransitiveImports: false, // it would load at once what a later file needs
  });
  await writeLicences(`${OUTPUT}/licences.txt`, metafile);
}

async function buildLibrary() {
  await build({ ...ALWAYS, entryPoints: ['src/index.ts'], packages: 'external' });
}

const packagesOutside = {
  name: 'packages-outside',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || path === 'commander' ? undefined : { external: true },
    );
  },
};

/** commander can start subcommands that are programs of their own. None of ours is, and what it needs for that is slow. */
const commanderAlone = {
  name: 'commander-alone',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /\/node_modules\/commander\//.test(importer) ? { path: 'nothing', namespace: 'nothing' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: '' }));
  },
};

/** To `import()` what Node is made of would start its loader of ES modules after all. */
const builtinsByRequire = {
  name: 'builtins-by-require',
  renderDynamicImport: ({ targetModuleId }) =>
    targetModuleId?.startsWith('node:')
      ? { left: 'Promise.resolve().then(() => require(', right: '))' }
      : null,
};

/**
 * To open a file takes longer than to read some more of it. So what several subcommands share is in few files: each holds
 * what one of these entries needs, and none before it.
 */
function fewerFiles(id, { getModuleIds, getModuleInfo }) {
  const isNeededBy = (entry) => needs(entry.id, id, getModuleInfo);
  const entries = [...getModuleIds()].map(getModuleInfo).filter(isEntry).filter(isNeededBy);
  const names = entries.map((entry) => nameOf(entry.id));
  if (names.includes('main')) return 'main';
  const first = FIRST.find((name) => names.includes(name));
  return entries.length > 1 && first !== undefined ? `for-${first}` : undefined;
}

const FIRST = ['validate-id', 'send', 'open-http', 'listen'];

function isEntry(module) {
  return module.isEntry || module.dynamicImporters.length > 0;
}

/** Does a module import another at once, itself or by what it imports? */
function needs(id, other, getModuleInfo, seen = new Set()) {
  if (id === other) return true;
  if (seen.has(id)) return false;
  seen.add(id);
  return (getModuleInfo(id)?.importedIds ?? []).some((each) => needs(each, other, getModuleInfo, seen));
}

/** Without what esbuild appends. */
function nameOf(id) {
  return /([^/]*?)(?:-[A-Z0-9]{8})?\.js$/.exec(id)?.[1];
}

function fromMemory(modules) {
  return {
    name: 'from-memory',
    resolveId: (id, importer) => {
      const path = importer === undefined ? id : resolve(importer, '..', id);
      return modules.has(path) ? path : undefined;
    },
    load: (id) => modules.get(id),
  };
}

await Promise.all([buildProgram(), buildLibrary()]);
