/** The file of `serve --data`: one server at a time. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { takeDeviceLock, type Lock } from '../config/lock.js';
import { hasErrno } from '../config/private-file.js';
import { DeviceLockedError, DiskError, UnreadableFileError } from '../errors.js';
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
 * @throws UnreadableFileError when it cannot be opened, is none of ours, or another living process serves from it;
 *   DiskError
 */
export async function openDataFile(file: string, pid: number): Promise<DataFile> {
  const path = canonicalPath(file);
  const lock = await takeLock(file, `${path}.serve-lock`, pid);
  try {
    return { store: await openSqliteStore(path), lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function takeLock(file: string, lockPath: string, pid: number): Promise<Lock> {
  try {
    return await takeDeviceLock(lockPath, pid);
  } catch (error) {
    throw error instanceof DeviceLockedError ? heldByAnother(file, error) : cannotLock(file, error);
  }
}

function heldByAnother(file: string, cause: DeviceLockedError): UnreadableFileError {
  const holder = String(cause.holderPid);
  return new UnreadableFileError(file, `another mx2s (process ${holder}) serves from ${file}`, {
    hint: `stop process ${holder}, or give each server a file of its own`,
    cause,
  });
}

/** The lock stands where the user wanted the file, and not among files of ours. */
function cannotLock(file: string, error: unknown): unknown {
  if (!(error instanceof DiskError) || !(error.cause instanceof Error)) return error;
  const message = `cannot open the database ${file}: ${error.cause.message}`;
  if (hasErrno(error.cause, 'ENOSPC', 'EDQUOT')) {
    return new DiskError(message, { hint: 'make room on its disk', cause: error });
  }
  return new UnreadableFileError(file, message, {
    hint: 'name a file in a directory that you may write to, where its lock can stand beside it',
    cause: error,
  });
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
