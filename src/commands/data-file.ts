/** The file of `serve --data`: one server at a time. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { takeDeviceLock, type Lock } from '../config/lock.js';
import { DeviceLockedError, UnreadableFileError } from '../errors.js';
import { openSqliteStore } from '../store/sqlite.js';
import type { Store } from '../store/store.js';

export interface DataFile {
  readonly store: Store;
  /** To be released when the store is closed. */
  readonly lock: Lock;
}

/**
 * Opens a data file, which is made unless it is there.
 *
 * @param pid this process
 * @throws UnreadableFileError when it cannot be opened, is none of ours, or another living process serves from it
 */
export async function openDataFile(file: string, pid: number): Promise<DataFile> {
  const path = canonicalPath(file);
  const lock = await takeLock(file, `${path}.serve-lock`, pid);
  try {
    return { store: openSqliteStore(path), lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function takeLock(file: string, lockPath: string, pid: number): Promise<Lock> {
  try {
    return await takeDeviceLock(lockPath, pid);
  } catch (error) {
    if (!(error instanceof DeviceLockedError)) throw error;
    const holder = String(error.holderPid);
    throw new UnreadableFileError(file, `another mx2s (process ${holder}) serves from ${file}`, {
      hint: `stop process ${holder}, or give each server a file of its own`,
      cause: error,
    });
  }
}

/** The same file has the same lock, by whatever name it is called. */
function canonicalPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return join(canonicalDirectory(file), basename(file)); // not there yet
  }
}

function canonicalDirectory(file: string): string {
  try {
    return realpathSync(dirname(file));
  } catch (cause) {
    throw new UnreadableFileError(file, `cannot open the database ${file}: ${(cause as Error).message}`, {
      hint: 'name a file in a directory that exists',
      cause,
    });
  }
}
