import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endsTorn, isFile, isNull, writeWhole } from '../../src/ui/whole-write.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';

let directory: TempDir;
beforeAll(async () => {
  directory = await makeTempDir();
});
afterAll(() => directory.remove());

function withFile<Result>(text: string, flags: string, work: (descriptor: number) => Result): Result {
  const path = join(directory.path, 'file');
  writeFileSync(path, text);
  const descriptor = openSync(path, flags);
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

it('writes all of a long text', () => {
  const text = 'é'.repeat(3 * 2 ** 20);
  withFile('', 'w', (descriptor) => writeWhole(descriptor, text));
  expect(readFileSync(join(directory.path, 'file'), 'utf8')).toBe(text);
});

it('writes bytes as they are', () => {
  withFile('', 'w', (descriptor) => writeWhole(descriptor, Uint8Array.of(0xff, 0x00)));
  expect([...readFileSync(join(directory.path, 'file'))]).toEqual([0xff, 0x00]);
});

it('knows a file, what keeps nothing, and what is neither', () => {
  const kind = (descriptor: number) => ({ isFile: isFile(descriptor), isNull: isNull(descriptor) });
  expect(withFile('', 'r', kind)).toEqual({ isFile: true, isNull: false });
  const kinds = ['/dev/null', '/dev/zero'].map((path) => {
    const descriptor = openSync(path, 'r+');
    try {
      return kind(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
  expect(kinds).toEqual([
    { isFile: false, isNull: true },
    { isFile: false, isNull: false },
  ]);
  expect(kind(9999)).toEqual({ isFile: false, isNull: false });
});

describe('endsTorn', () => {
  it.each([
    ['', false],
    ['whole\n', false],
    ['whole\nto', true],
  ])('of %j is %s, also where the descriptor is for appending only', (text, expected) => {
    expect(withFile(text, 'a', endsTorn)).toBe(expected);
  });

  it('is false where nobody can know', () => {
    expect(endsTorn(9999)).toBe(false);
  });
});
