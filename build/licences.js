/** The licences of the packages whose code a bundle holds: they have to go wherever it goes. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @param metafile what esbuild says of a build: which files went in */
export async function writeLicences(file, metafile) {
  const folders = new Set(
    Object.keys(metafile.inputs).flatMap((path) => PACKAGE_FOLDER.exec(path)?.[0] ?? []),
  );
  const texts = await Promise.all([...folders].sort().map(licenceText));
  await writeFile(file, texts.join('\n\n'));
}

async function licenceText(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const names = (await readdir(folder)).filter((each) => /^(licen[cs]e|notice|copying)/i.test(each)).sort();
  if (names.length === 0) throw new Error(`${folder} has no licence of its own`);
  const texts = await Promise.all(names.map((each) => readFile(join(folder, each), 'utf8')));
  return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim()), ''].join('\n\n');
}

const PACKAGE_FOLDER = /^.*\/?node_modules\/(?:@[^/]+\/)?[^/]+/;
