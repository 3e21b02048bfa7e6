/** Files that only their owner may read: directories 0700, files 0600, replaced whole or not at all. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DiskError, Mx2sError } from '../errors.js';

/**
 * Makes a directory, and what is missing above it, for us alone. One that exists is left as it is: it may be
 * shared on purpose, and the files in it are private all the same.
 *
 * @throws DiskError
 */
export function makePrivateDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
  } catch (error) {
    throw diskError(path, error);
  }
}

/**
 * Replaces a file by rename, so that a reader, and a process that starts after we were killed, sees the old
 * text or the new one. No fsync: the promise is for the death of a process, not of the machine. The directory
 * is made only where it turns out to be missing, which keeps the usual write at four system calls.
 *
 * One process at a time may replace the same file: the temporary file has a fixed name.
 *
 * @throws DiskError
 */
export function replacePrivateFile(path: string, text: string): void {
  const staging = `${path}.new`;
  const replace = (): void => {
    writeFileSync(staging, text, { mode: FILE_MODE });
    renameSync(staging, path);
  };
  try {
    try {
      replace();
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
      makePrivateDirectory(dirname(path));
      replace();
    }
  } catch (error) {
    throw diskError(path, error);
  }
}

/**
 * Removes a file; one that is not there is gone already.
 * @throws DiskError
 */
export function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw diskError(path, error);
  }
}

/** Is this one of the system errors named, such as `ENOENT`? */
export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && codes.includes(code);
}

/** What a failed system call on a file of ours is thrown as; any other error is passed on. */
export function diskError(path: string, error: unknown): unknown {
  if (error instanceof Mx2sError || !(error instanceof Error) || !('code' in error)) return error;
  return new DiskError(`cannot use ${path}: ${error.message}`, {
    hint: 'check its permissions and the space on the disk, or set MX2S_CONFIG_DIR to another directory',
    cause: error,
  });
}

/** Only the owner may read and write. */
export const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
