/** Reading what the user names on the command line: a file, or `-` for stdin. */
import { createReadStream } from 'node:fs';
import { Mx2sError, UnreadableFileError } from '../errors.js';
import { decodeUtf8, type Input } from './streams.js';

/**
 * The text of a file, or of stdin when `source` is `-`.
 *
 * @param what what it is, for errors: "the content", "the password"
 * @throws UnreadableFileError, InvalidInputError (empty stdin, no UTF-8)
 */
export async function readTextFrom(source: string, stdin: Input, what: string): Promise<string> {
  if (source === '-')
    return stdin.text(what).catch((error: unknown) => Promise.reject(unreadableStdin(error)));
  let bytes: Uint8Array;
  try {
    const { readFile } = await import('node:fs/promises'); // most commands read no file
    bytes = await readFile(source);
  } catch (error) {
    throw unreadableFile(source, what, error);
  }
  return decodeUtf8(bytes, `${what} in ${source}`);
}

/**
 * What `-d` gives: the text itself, or `@FILE`, or `@-` for stdin.
 * @throws UnreadableFileError, InvalidInputError
 */
export async function readDataFrom(data: string, stdin: Input): Promise<string> {
  return data.startsWith('@') ? readTextFrom(data.slice(1), stdin, 'the content') : data;
}

/** A secret from a file or stdin: one final line end is dropped, as editors and `echo` add one. */
export async function readSecretFrom(source: string, stdin: Input, what: string): Promise<string> {
  try {
    return (await readTextFrom(source, stdin, what)).replace(/\r?\n$/, '');
  } catch (error) {
    throw error instanceof UnreadableFileError ? unreadableSecret(error, what) : error;
  }
}

/**
 * The bytes of stdin as they come.
 * @param use with `once`, a chunk may be overwritten when the next one is asked for
 * @throws UnreadableFileError when it cannot be read: it is closed, or open for writing only
 */
export async function* chunksOf(stdin: Input, use?: 'once'): AsyncGenerator<Uint8Array> {
  try {
    yield* stdin.chunks(use);
  } catch (error) {
    throw unreadableStdin(error);
  }
}

/**
 * The bytes of a file as they come.
 * @throws UnreadableFileError
 */
export async function* chunksOfFile(path: string, what: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw unreadableFile(path, what, error);
  }
}

function unreadableFile(path: string, what: string, error: unknown): UnreadableFileError {
  return new UnreadableFileError(path, `cannot read ${what} from ${path}: ${reasonOf(error)}`, {
    hint: 'check the path and its permissions',
    cause: error,
  });
}

/** A failed system call is the caller's stdin; any other error is passed on. */
function unreadableStdin(error: unknown): Error {
  if (!(error instanceof Error) || error instanceof Mx2sError || !('syscall' in error)) return error as Error;
  return new UnreadableFileError('-', `cannot read stdin: ${reasonOf(error)}`, {
    hint: 'is it open, and open for reading?',
    cause: error,
  });
}

/** Neither path nor cause: who mistakes the flag for one that takes the secret itself has typed the secret there. */
function unreadableSecret({ cause }: UnreadableFileError, what: string): UnreadableFileError {
  return new UnreadableFileError(
    '***',
    `cannot read ${what} from the file named for it: ${reasonOf(cause)}`,
    {
      hint: 'give the path of a file that holds it, and check the permissions of that file',
    },
  );
}

function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  return FILE_ERRORS[code] ?? code;
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
};
