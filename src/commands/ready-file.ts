/** The file that tells a script that we are ready: it is there when we are, and not before. */
import { rm, writeFile } from 'node:fs/promises';
import { UnreadableFileError } from '../errors.js';

export interface ReadyFile {
  /** Writes it. False where no file was asked for. */
  write(): Promise<boolean>;
}

/**
 * Takes away what an earlier run left.
 * @throws UnreadableFileError, also from `write`
 */
export async function openReadyFile(path: string | undefined): Promise<ReadyFile> {
  if (path === undefined) return { write: () => Promise.resolve(false) };
  await writable(path, rm(path, { force: true }));
  return {
    write: async () => {
      await writable(path, writeFile(path, 'ready\n'));
      return true;
    },
  };
}

async function writable(path: string, change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (error) {
    throw new UnreadableFileError(path, `cannot write the ready file: ${(error as Error).message}`, {
      hint: '--ready-file takes the path of a file in a directory that you may write to',
      cause: error,
    });
  }
}
