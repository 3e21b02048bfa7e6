/** The file that tells a script that we are ready: it is there when we are, and not before. */
import { closeSync, constants, openSync, writeSync, type Stats } from 'node:fs';
import { rm, stat, writeFile } from 'node:fs/promises';
import { UnreadableFileError } from '../errors.js';

export interface ReadyFile {
  /** Writes it. False where no file was asked for. */
  write(): Promise<boolean>;
}

/**
 * Takes away what an earlier run left, if that is a regular file. A FIFO stays, and is written to.
 * @throws UnreadableFileError, also from `write`, and for what is neither
 */
export async function openReadyFile(path: string | undefined): Promise<ReadyFile> {
  if (path === undefined) return { write: () => Promise.resolve(false) };
  const existing = await orUnwritable(path, () => statOf(path));
  const isFifo = existing?.isFIFO() === true;
  if (existing?.isFile() === true) await orUnwritable(path, () => rm(path));
  else if (existing !== undefined && !isFifo) throw unwritable(path, 'it is no regular file and no FIFO');
  return {
    write: async () => {
      await orUnwritable(path, () => (isFifo ? writeFifo(path) : writeFile(path, READY)));
      return true;
    },
  };
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Without waiting for a reader: one that comes later finds the line, for as long as we run. */
function writeFifo(path: string): void {
  const { O_WRONLY, O_RDWR, O_NONBLOCK } = constants;
  try {
    const fifo = openSync(path, O_WRONLY | O_NONBLOCK);
    writeSync(fifo, READY);
    closeSync(fifo);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
    // left open to the end of the process: what is in a FIFO is gone when nobody has it open
    writeSync(openSync(path, O_RDWR | O_NONBLOCK), READY);
  }
}

async function orUnwritable<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unwritable(path, (error as Error).message, error);
  }
}

function unwritable(path: string, why: string, cause?: unknown): UnreadableFileError {
  return new UnreadableFileError(path, `cannot write the ready file: ${why}`, {
    hint: '--ready-file takes the path of a file in a directory that you may write to, or of a FIFO',
    cause,
  });
}

const READY = 'ready\n';
