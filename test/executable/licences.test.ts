/** Beside the executables stands the licence of all that is in them. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { BINARY } from '../kit/binary.js';

const root = new URL('../../', import.meta.url);

it('the licences of mx2s, of its packages and of Bun are beside the executable', async () => {
  const licences = await readFile(join(dirname(BINARY), 'mx2s-linux-licences.txt'), 'utf8');
  const manifest = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
    readonly version: string;
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const named = Object.entries({ mx2s: manifest.version, ...manifest.dependencies });
  for (const [name, version] of named) expect(licences).toContain(`\n${name} ${version} (`);
  expect(licences).toContain('\nBun (MIT, and the licences of what it links)\n');
  for (const file of ['LICENSE', 'build/lgpl-2.1.txt', 'node_modules/pino/LICENSE']) {
    expect(licences).toContain((await readFile(new URL(file, root), 'utf8')).trim());
  }
});

it('a package that has no file of it says it in its readme', async () => {
  const licences = await readFile(join(dirname(BINARY), 'mx2s-linux-licences.txt'), 'utf8');
  expect(licences).toMatch(/\nabstract-logging [\d.]+ \(MIT\)\n\nJames Sumners .*\n\n\[MIT License\]/);
});
