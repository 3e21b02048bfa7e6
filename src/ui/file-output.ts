/** Making a file that the user names on the command line. */
import { open, unlink } from 'node:fs/promises';
import { DiskError, UnreadableFileError } from '../errors.js';

/**
 * Makes a file that only its owner may read (0600). One that exists is left as it is.
 *
 * Resolves when the text is on the disk: what is written here (a key, a registration) can be made only once.
 *
 * @param what what it is, for errors: "the signing key"
 * @throws UnreadableFileError when the path is taken or leads nowhere, DiskError when the disk does not take it
 */
export async function createPrivateFile(path: string, text: string, what: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw refusedPath(path, what, cause);
  });
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (cause) {
    await unlink(path).catch(() => undefined); // half a file would be taken for a whole one
    throw new DiskError(`cannot write ${what} to ${path}: ${codeOf(cause)}`, {
      hint: 'check the space on the disk',
      cause,
    });
  } finally {
    await file.close();
  }
}

function refusedPath(path: string, what: string, cause: unknown): Error {
  const code = codeOf(cause);
  if (code === 'EEXIST') {
    return new UnreadableFileError(path, `${path} exists and is not overwritten`, {
      hint: 'name a file that does not exist',
      cause,
    });
  }
  const reason = PATH_ERRORS[code];
  if (reason === undefined) {
    return new DiskError(`cannot write ${what} to ${path}: ${code}`, { hint: 'check the disk', cause });
  }
  return new UnreadableFileError(path, `cannot write ${what} to ${path}: ${reason}`, {
    hint: 'check the path and its permissions',
    cause,
  });
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'unknown';
}

const PATH_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
  ENAMETOOLONG: 'the name is too long',
  EROFS: 'the file system is read-only',
};
