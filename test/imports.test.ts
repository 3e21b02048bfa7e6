import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importViolations } from './kit/import-rules.js';

describe('the imports of the project', () => {
  it('break no rule', () => {
    const sources = projectSources();
    expect([...sources.keys()]).toEqual(
      expect.arrayContaining(['bin/mx2s.js', 'src/main.ts', 'src/ids/user-id.ts']),
    );
    expect(importViolations(sources)).toEqual([]);
  });
});

describe('the rules', () => {
  // Each source breaks one rule; what it is told must say so.
  const breaches: [name: string, files: Record<string, string>, complaint: string][] = [
    [
      'an import that points up',
      { 'src/ids/user-id.ts': `import { parseJson } from '../wire/json.js';` },
      'src/ids/user-id.ts:1 imports "../wire/json.js": imports point down, and wire lies above ids',
    ],
    [
      'an upward import of a type',
      { 'src/http/retry.ts': `\nimport type { Profile } from '../config/profiles.js';` },
      'src/http/retry.ts:2 imports "../config/profiles.js": imports point down, and config lies above http',
    ],
    [
      'an upward import in a type expression',
      { 'src/ids/user-id.ts': `export type X = import('../wire/json.js').JsonText;` },
      'src/ids/user-id.ts:1 imports "../wire/json.js": imports point down, and wire lies above ids',
    ],
    [
      'an upward import at run time',
      { 'src/store/memory.ts': `await import('../server/app.js');` },
      'src/store/memory.ts:1 imports "../server/app.js": imports point down, and server lies above store',
    ],
    [
      'a neighbour on the same floor',
      { 'src/server/app.ts': `import { runChecks } from '../check/runner.js';` },
      'src/server/app.ts:1 imports "../check/runner.js": server and check lie on the same floor and may not use each other',
    ],
    [
      'the bottom floor looking up',
      { 'src/errors.ts': `import type { UserId } from './ids/user-id.js';` },
      'src/errors.ts:1 imports "./ids/user-id.js": imports point down, and ids lies above errors',
    ],
    [
      'errors using the exit codes',
      { 'src/errors.ts': `import { ERROR_ROWS } from './exit-codes.js';` },
      'src/errors.ts:1 imports "./exit-codes.js": imports point down, and exit-codes lies above errors',
    ],
    [
      'a room that is not on the map',
      { 'src/utils/strings.ts': `` },
      'src/utils/strings.ts: "utils" is no room on the map; give it a floor in test/kit/import-rules.ts',
    ],
    [
      'a pure room reaching for Node',
      { 'src/ui/render/event.ts': `import { inspect } from 'node:util';` },
      'src/ui/render/event.ts:1 imports "node:util": src/ui/render/ is pure: nothing from node: and no package',
    ],
    [
      'a package through another door',
      { 'src/client/sync.ts': `const { parse } = await import('yaml');` },
      'src/client/sync.ts:1 imports "yaml": the one door of yaml is src/gateway/registration.ts',
    ],
    [
      'the types of a package in another room',
      { 'src/ui/streams.ts': `import type { Command } from 'commander';` },
      'src/ui/streams.ts:1 imports "commander": the one door of commander is src/main.ts, src/commands/define.ts',
    ],
    [
      'a package without a door',
      { 'src/server/app.ts': `import cors from '@fastify/cors/lib/index.js';` },
      'src/server/app.ts:1 imports "@fastify/cors/lib/index.js": "@fastify/cors" has no door; give it one in test/kit/import-rules.ts',
    ],
    [
      'a heavy package at start-up',
      {
        'src/main.ts': `import { open } from './store/database.js';`,
        'src/store/database.ts': `import { Database } from 'node-sqlite3-wasm';`,
      },
      'src/store/database.ts:1 imports "node-sqlite3-wasm" at start-up (src/main.ts → src/store/database.ts): use await import()',
    ],
    [
      'process',
      { 'src/ui/streams.ts': `export const out = process.stdout;` },
      'src/ui/streams.ts:1 uses "process": only bin/ and src/main.ts may; take it as an argument',
    ],
    [
      'process by another name',
      { 'src/ui/streams.ts': `export const out = globalThis.process.stdout;` },
      'src/ui/streams.ts:1 uses "process": only bin/ and src/main.ts may; take it as an argument',
    ],
    [
      'process as a module',
      { 'src/ui/streams.ts': `import { stdout } from 'node:process';` },
      'src/ui/streams.ts:1 imports "node:process": only bin/ and src/main.ts may use process',
    ],
    [
      'a default export',
      { 'src/ids/user-id.ts': `export default function parse() {}` },
      'src/ids/user-id.ts:1 has a default export: named exports only',
    ],
    [
      'a default export by name',
      { 'src/ids/user-id.ts': `const a = 1;\nexport { a as default };` },
      'src/ids/user-id.ts:2 has a default export: named exports only',
    ],
    [
      'a barrel',
      { 'src/wire/index.ts': `` },
      'src/wire/index.ts is a barrel: only src/index.ts and src/commands/index.ts may be',
    ],
    [
      'a barrel by another name',
      { 'src/wire/all.ts': `export { parseJson } from './json.js';` },
      'src/wire/all.ts is a barrel: only src/index.ts and src/commands/index.ts may be',
    ],
    [
      'a file that passes on another one whole',
      { 'src/wire/sync.ts': `export * from './json.js';\nexport const own = 1;` },
      'src/wire/sync.ts is a barrel: only src/index.ts and src/commands/index.ts may be',
    ],
    [
      'a cycle, be it of types',
      {
        'src/wire/a.ts': `import { b } from './b.js';`,
        'src/wire/b.ts': `import type { C } from './c.js';`,
        'src/wire/c.ts': `import type { A } from './a.js';`,
      },
      'import cycle: src/wire/a.ts → src/wire/b.ts → src/wire/c.ts → src/wire/a.ts',
    ],
  ];

  it.each(breaches)('catch %s', (_name, files, complaint) => {
    expect(importViolations(new Map(Object.entries(files)))).toEqual([complaint]);
  });

  it('let through what the map allows', () => {
    const files = {
      'bin/mx2s.js': `require('../dist/main.cjs').main(process);`,
      'src/main.ts': `import { Command } from 'commander';\nimport { VERSION } from './version.js';\nimport { commands } from './commands/index.js';\nprocess.on('SIGINT', () => {});`,
      'src/index.ts': `export { startServer } from './server/listen.js';`,
      'src/commands/index.ts': `export const commands = [];`,
      'src/commands/serve.ts': `import type { Command } from 'commander';\nconst { startServer } = await import('../server/listen.js');`,
      'src/server/listen.ts': `import fastify from 'fastify';\nimport { join } from 'node:path';`,
      'src/check/runner.ts': `import { startServer } from '../server/listen.js';`,
      'src/store/database.ts': `import type { Database } from 'node-sqlite3-wasm';\nconst sqlite = await import('node-sqlite3-wasm');`,
      'src/wire/json.ts': `export type { JsonText } from './json-cursor.js';\nexport const own = 1;`,
      'src/exit-codes.ts': `import { Mx2sError } from './errors.js';`,
      'src/subsystems/exec.ts': `interface Job { process: number }\nexport const job: Job = { process: 1 };\njob.process;`,
    };
    expect(importViolations(new Map(Object.entries(files)))).toEqual([]);
  });
});

function projectSources(): Map<string, string> {
  const top = new URL('../', import.meta.url);
  const paths = ['src', 'bin'].flatMap((folder) =>
    readdirSync(new URL(folder, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|js)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  return new Map(paths.map((path) => [path, readFileSync(new URL(path, top), 'utf8')]));
}
