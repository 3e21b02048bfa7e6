import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPrivateFile } from '../../src/ui/file-output.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';

describe('createPrivateFile', () => {
  let dir: TempDir;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => dir.remove());

  it('makes a file for its owner alone', async () => {
    const path = join(dir.path, 'key');
    await createPrivateFile(path, 'text\n', 'the key');
    expect(await readFile(path, 'utf8')).toBe('text\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('leaves a file that exists as it is', async () => {
    const path = join(dir.path, 'key');
    await writeFile(path, 'old');
    await expect(createPrivateFile(path, 'new', 'the key')).rejects.toMatchObject({
      code: 'unreadable_file',
      path,
      message: `${path} exists and is not overwritten`,
    });
    expect(await readFile(path, 'utf8')).toBe('old');
  });

  it.each([
    ['no/key', 'no such directory'],
    ['file/key', 'a part of the path is no directory'],
  ])('refuses a path that leads nowhere: %s', async (name, reason) => {
    await writeFile(join(dir.path, 'file'), '');
    const path = join(dir.path, name);
    await expect(createPrivateFile(path, 'x', 'the key')).rejects.toMatchObject({
      code: 'unreadable_file',
      message: `cannot write the key to ${path}: ${reason}`,
    });
    expect(await readdir(dir.path)).toEqual(['file']);
  });

  it('takes every other failure for one of the disk', async () => {
    await expect(createPrivateFile('a\0b', 'x', 'the key')).rejects.toMatchObject({ code: 'disk' });
  });
});
