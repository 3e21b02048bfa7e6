/** A disk and a file that fail while they are in use. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DiskError, UnreadableFileError } from '../../src/errors.js';
import { Database } from '../../src/store/database.js';

const SCHEMA = { version: 1, sql: 'CREATE TABLE words (word TEXT NOT NULL)' };
const PUT = 'INSERT INTO words (word) VALUES (?)';
const PAGE_BYTES = 4096;

let directory: string;
let file: string;
beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'mx2s-database-'));
  file = join(directory, 'data.db');
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
});

async function open(): Promise<Database> {
  const db = await Database.open(file, SCHEMA);
  onTestFinished(() => db.close());
  return db;
}

function words(db: Database): unknown[] {
  return db.all('SELECT word FROM words').map(({ word }) => word);
}

/** Every write to any file fails until the function that it gives is called. */
function fillDisk(): () => void {
  const writing = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  });
  const makeRoom = (): void => writing.mockRestore();
  onTestFinished(makeRoom);
  return makeRoom;
}

describe('a full disk', () => {
  it('fails what is put, keeps what was there, and takes the next when there is room', async () => {
    const db = await open();
    db.run(PUT, 'before');
    const makeRoom = fillDisk();
    for (const put of [
      () => db.run(PUT, 'alone'),
      () => db.atomic(() => ['one', 'two'].map((word) => db.run(PUT, word))),
    ]) {
      expect(put).toThrow(DiskError);
      expect(put).toThrow(`cannot use the database ${file}: disk I/O error`);
    }
    expect(words(db)).toEqual(['before']);
    makeRoom();
    db.run(PUT, 'after');
    db.atomic(() => db.run(PUT, 'last'));
    expect(words(db)).toEqual(['before', 'after', 'last']);
  });

  it('does not keep a file from being closed', async () => {
    const db = await open();
    const makeRoom = fillDisk();
    expect(() => db.run(PUT, 'x')).toThrow(DiskError);
    db.close();
    makeRoom();
    expect(words(await open())).toEqual([]);
  });

  it('fails the opening of a file, and leaves no lock behind', async () => {
    const makeRoom = fillDisk();
    await expect(open()).rejects.toThrow(DiskError);
    makeRoom();
    expect(fs.readdirSync(directory)).not.toContain('data.db.lock');
  });
});

describe('a file', () => {
  it('that is damaged beyond its first page is told of when the damage is met', async () => {
    (await open()).close();
    const descriptor = fs.openSync(file, 'r+');
    fs.writeSync(descriptor, Buffer.alloc(PAGE_BYTES, 'x'), 0, PAGE_BYTES, PAGE_BYTES);
    fs.closeSync(descriptor);
    const db = await open();
    expect(() => words(db)).toThrow(UnreadableFileError);
    expect(() => db.run(PUT, 'x')).toThrow(
      `the database ${file} is damaged: database disk image is malformed`,
    );
  });

  it('is not blamed for a statement that is wrong', async () => {
    const db = await open();
    expect(() => db.run('INSERT INTO words (word) VALUES (NULL)')).toThrow(/^NOT NULL constraint failed/);
    expect(() => db.get('SELECT 1 FROM nowhere')).toThrow(/^no such table/);
  });
});
