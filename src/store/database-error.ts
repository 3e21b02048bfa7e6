/** What SQLite says of a disk or a file, in our words. Its driver tells causes apart by their text alone. */
import { DiskError, UnreadableFileError } from '../errors.js';

/**
 * What to throw in place of an error of the driver: `DiskError` where the disk does not take or give what it should,
 * `UnreadableFileError` where the file is damaged; any other error as it is.
 *
 * @see SQLite, "Result and Error Codes": `SQLITE_FULL`, `SQLITE_IOERR`, `SQLITE_READONLY`, `SQLITE_CORRUPT`,
 *   `SQLITE_NOTADB`
 */
export function toldDatabaseError(file: string, error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'SQLite3Error') return error;
  const { message } = error;
  if (OF_THE_DISK.has(message)) {
    return new DiskError(`cannot use the database ${file}: ${message}`, {
      hint: 'check its permissions, and the disk and the space on it; what was accepted is still there',
      cause: error,
    });
  }
  if (OF_THE_FILE.has(message)) {
    return new UnreadableFileError(file, `the database ${file} is damaged: ${message}`, {
      hint: 'go back to a copy of it, or begin with a new file',
      cause: error,
    });
  }
  return error;
}

/** Is it what comes of a disk that fails, or a file that is damaged? */
export function isDatabaseError(error: unknown): error is DiskError | UnreadableFileError {
  return error instanceof DiskError || error instanceof UnreadableFileError;
}

const OF_THE_DISK: ReadonlySet<string> = new Set([
  'database or disk is full',
  'disk I/O error',
  'attempt to write a readonly database',
  'unable to open database file', // its write-ahead log, which is made anew while it is open
]);
const OF_THE_FILE: ReadonlySet<string> = new Set([
  'database disk image is malformed',
  'file is not a database',
]);
