import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { replacePrivateFile } from '../../src/config/private-file.js';
import { RewrittenFile } from '../../src/config/rewritten-file.js';
import { DiskError } from '../../src/errors.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';
import { bundleScript, startChild } from './child.js';

let directory: TempDir;
beforeEach(async () => (directory = await makeTempDir()));
afterEach(() => directory.remove());

function open(...path: string[]): { path: string; file: RewrittenFile } {
  const at = join(directory.path, ...path);
  const file = new RewrittenFile(at);
  onTestFinished(() => file.close());
  return { path: at, file };
}

describe('a file that is written again and again', () => {
  it('holds what a file holds that is replaced each time, but for spaces', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 600 }),
      fc.string({ minLength: 4000, maxLength: 9000 }),
    );
    const { path, file } = open('fast');
    const slow = join(directory.path, 'slow');
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (texts) => {
        for (const each of texts) {
          const line = `${each.toWellFormed()}|\n`;
          file.write(line);
          replacePrivateFile(slow, line);
          expect(readFileSync(path, 'utf8').replace(/ *\n$/, '\n')).toBe(readFileSync(slow, 'utf8'));
        }
      }),
      { numRuns: 20 },
    );
    expect(readdirSync(directory.path).sort()).toEqual(['fast', 'slow']);
  });

  it('is the same file from the first time on, and one that is longer than a page is not', () => {
    const { path, file } = open('one');
    const inodeAfter = (text: string): number => {
      file.write(text);
      return statSync(path).ino;
    };
    const small = inodeAfter('a\n');
    expect([inodeAfter('bb\n'), inodeAfter('\n'), inodeAfter(`${'c'.repeat(511)}\n`)]).toEqual(
      Array(3).fill(small),
    );
    expect(inodeAfter(`${'d'.repeat(512)}\n`)).not.toBe(small);
    const [big, bigger] = [inodeAfter(`${'e'.repeat(4096)}\n`), inodeAfter(`${'f'.repeat(4096)}\n`)];
    expect(big).not.toBe(bigger);
  });

  it('is for its owner only, and its folder is made', () => {
    const { path, file } = open('below', 'one');
    file.write('a\n');
    file.write('b\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toMatch(/^b *\n$/);
  });

  it('is there again after it was closed', () => {
    const { path, file } = open('one');
    file.write('a\n');
    file.close();
    rmSync(path);
    file.write('b\n');
    expect(readFileSync(path, 'utf8')).toMatch(/^b *\n$/);
  });

  it('that cannot be written is a disk error', () => {
    writeFileSync(join(directory.path, 'taken'), '');
    const { file } = open('taken', 'one');
    expect(() => file.write('a\n')).toThrow(DiskError);
  });

  it('is whole when a process is killed that writes it', async () => {
    const script = await bundleScript(directory.path, 'writer', WRITER);
    const path = join(directory.path, 'one');
    for (let round = 0; round < 5; round += 1) {
      const child = startChild(script, [path]);
      await child.speaks; // then it writes, for ever
      child.process.kill('SIGKILL');
      await child.ended;
      expect(readFileSync(path, 'utf8')).toMatch(/^\[(\d+)(?:,\1){10,800}\] *\n$/);
    }
  });
});

/** One number over and over, on a line that is now shorter and now longer. */
const WRITER = `
import { writeSync } from 'node:fs';
import { RewrittenFile } from '../../src/config/rewritten-file.js';
const file = new RewrittenFile(process.argv[2]);
for (let n = 100; ; n += 1) {
  file.write(JSON.stringify(Array(11 + (n % 700)).fill(n % 1000)) + '\\n');
  if (n === 2000) writeSync(1, 'x');
}
`;
