/** What the real program loads before it answers: start-up is what people wait for every time. */
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/commands/index.js';
import { runBinary } from './kit/binary.js';
import { makeTempDir, type TempDir } from './kit/temp-dir.js';

let home: TempDir;
beforeEach(async () => (home = await makeTempDir()));
afterEach(() => home.remove());

describe('the program loads no package, and no command but the one that is named, for', () => {
  it.each([
    [['--version'], []],
    [['--help'], []],
    [['nonsense'], []],
    [['help', 'send'], ['send']],
    [['validate-id', '@:x.y'], ['validate-id']],
  ])('%j', async (args, commands) => {
    const urls = await loadedBy(args);
    expect(urls).toContainEqual(expect.stringMatching(/\/dist\/main\.cjs$/));
    expect({ packages: packagesIn(urls), commands: commandsIn(urls) }).toEqual({ packages: [], commands });
  });
});

it('the program sends a request without a package', async () => {
  const env = { MX2S_HOMESERVER: 'http://127.0.0.1:1', MX2S_ACCESS_TOKEN: 'token' };
  const urls = await loadedBy(['whoami', '--retries', '0'], env);
  expect({ packages: packagesIn(urls), commands: commandsIn(urls) }).toEqual({
    packages: [],
    commands: ['whoami'],
  });
});

it('the program loads a package where it is needed', async () => {
  const registration = join(home.path, 'registration.yaml');
  await writeFile(registration, '{}');
  const urls = await loadedBy(['gateway', '--registration', registration]);
  expect({ packages: packagesIn(urls), commands: commandsIn(urls) }).toEqual({
    packages: ['yaml'],
    commands: ['gateway'],
  });
});

describe('the program loads none of the slow parts of Node that it does not need, for', () => {
  it.each([['--version'], ['validate-id', '@:x.y'], ['send', '@:x.y', '-t', 'org.example.x', '--dry-run']])(
    '%j',
    async (...args) => {
      // Node 24 loads one of them for whatever it runs
      const bare = await partsLoadedBy((env) => promisify(execFile)(process.execPath, ['-e', '0'], { env }));
      const loaded = await partsLoadedBy((env) => runBinary(args, { home: home.path, env }));
      expect(loaded.filter((name) => SLOW.includes(name) && !bare.includes(name))).toEqual([]);
    },
  );
});

/** As Node names them; the last one is what opens stdin when it is a file. */
const SLOW = [
  'child_process',
  'http',
  'http2',
  'tls',
  'dgram',
  'internal/modules/esm/translators',
  'internal/fs/streams',
];

/** The parts of Node that a program loads until its end. */
async function partsLoadedBy(run: (env: Record<string, string>) => Promise<unknown>): Promise<string[]> {
  const note = join(home.path, 'note.cjs');
  const parts = join(home.path, 'parts.json');
  await writeFile(
    note,
    `process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(parts)}, JSON.stringify(process.moduleLoadList)));`,
  );
  await run({
    NODE_OPTIONS: `--require=${note}`,
    MX2S_HOMESERVER: 'http://127.0.0.1:1',
    MX2S_ACCESS_TOKEN: 'token',
  });
  const loaded = JSON.parse(await readFile(parts, 'utf8')) as string[];
  return loaded.map((name) => name.replace('NativeModule ', ''));
}

/** The URLs of all scripts that a run of the program loaded. */
async function loadedBy(args: readonly string[], env: Record<string, string> = {}): Promise<string[]> {
  const folder = join(home.path, 'coverage'); // where V8 writes down what it ran
  await runBinary(args, { home: home.path, env: { ...env, NODE_V8_COVERAGE: folder } });
  const [file = ''] = await readdir(folder);
  const { result } = JSON.parse(await readFile(join(folder, file), 'utf8')) as { result: { url: string }[] };
  return result.map(({ url }) => url);
}

function packagesIn(urls: readonly string[]): string[] {
  return [...new Set(urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []))];
}

/** The build gives each command a file of its own, called by it and a hash. */
function commandsIn(urls: readonly string[]): string[] {
  const files = urls.flatMap((url) => /\/dist\/(.*)-[\w-]{8}\.cjs$/.exec(url)?.[1] ?? []);
  return COMMANDS.map(({ name }) => name).filter((name) => files.includes(name));
}
