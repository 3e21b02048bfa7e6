/** The licences of the packages whose code a bundle holds: they have to go wherever it goes. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * @param metafile what the bundler says of a build: which files went in
 * @param others texts on what is in it besides packages
 */
export async function writeLicences(file, metafile, others = []) {
  const folders = new Set(
    Object.keys(metafile.inputs).flatMap((path) => PACKAGE_FOLDER.exec(path)?.[0] ?? []),
  );
  const texts = await Promise.all([...folders].sort().map(licenceText));
  await writeFile(file, [...texts, ...others].join('\n\n'));
}

/** @param folder of a package */
export async function licenceText(folder) {
  const { name, version, license, author } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const all = await readdir(folder);
  const names = all.filter((each) => /^(licen[cs]e|notice|copying)/i.test(each)).sort();
  const texts = await Promise.all(names.map((each) => readFile(join(folder, each), 'utf8')));
  if (texts.length === 0) texts.push(author?.name ?? author, await saidInReadme(folder, all));
  return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim()), ''].join('\n\n');
}

/** Some have no more than a chapter on it. */
async function saidInReadme(folder, names) {
  const readme = names.find((each) => /^readme/i.test(each));
  const text = readme === undefined ? '' : await readFile(join(folder, readme), 'utf8');
  const chapter = /^#+ *licen[cs]e *\n([^#]+)/im.exec(text)?.[1];
  if (chapter === undefined) throw new Error(`${folder} says nothing of its licence`);
  return chapter;
}

const PACKAGE_FOLDER = /^.*\/?node_modules\/(?:@[^/]+\/)?[^/]+/;
