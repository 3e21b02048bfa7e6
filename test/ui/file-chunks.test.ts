import { closeSync, openSync, readSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chunksOfDescriptor } from '../../src/ui/file-chunks.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';

const BYTES = Uint8Array.from({ length: 600_000 }, (_, index) => index % 251);

let directory: TempDir;
let descriptor: number;
beforeEach(async () => {
  directory = await makeTempDir();
  const path = join(directory.path, 'file');
  await writeFile(path, BYTES);
  descriptor = openSync(path, 'r');
});
afterEach(async () => {
  closeSync(descriptor);
  await directory.remove();
});

describe('chunksOfDescriptor', () => {
  it.each([true, false])('reads from where the file stands to its end (lent: %s)', async (isLent) => {
    readSync(descriptor, new Uint8Array(1000), 0, 1000, null);
    const parts: Buffer[] = [];
    for await (const chunk of chunksOfDescriptor(descriptor, isLent)) parts.push(Buffer.from(chunk));
    expect(parts.length).toBeGreaterThan(1);
    expect(Buffer.concat(parts).equals(BYTES.subarray(1000))).toBe(true);
  });

  it('gives chunks to keep, unless they are lent', async () => {
    const kept: Uint8Array[] = [];
    for await (const chunk of chunksOfDescriptor(descriptor, false)) kept.push(chunk);
    expect(Buffer.concat(kept).equals(BYTES)).toBe(true);
  });

  it('lets others have their turn between two chunks', async () => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const seen: [bytes: number, turns: number][] = [];
    for await (const { length } of chunksOfDescriptor(descriptor, true)) seen.push([length, turns]);
    clearImmediate(next);
    expect(seen).toEqual([
      [262_144, 0],
      [262_144, 1],
      [75_712, 2],
    ]);
  });

  it('throws the error of the system', async () => {
    await expect(chunksOfDescriptor(9999, true).next()).rejects.toMatchObject({
      code: 'EBADF',
      syscall: 'read',
    });
  });
});
