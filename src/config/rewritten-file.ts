/**
 * A small private file that is written again and again while a process lives, like the position of a device.
 *
 * A rename for each time can wait for the disk, and then takes longer than all the rest of an event. So the file is
 * replaced by rename when it is opened, padded with spaces, and from then on written over in place: one system call.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { diskError, replacePrivateFile } from './private-file.js';

export class RewrittenFile {
  readonly #path: string;
  #open: { readonly descriptor: number; readonly bytes: number } | undefined;

  /** Nothing is opened before the first text is written. */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Makes `text`, which ends with a line end, all that the file holds, but for spaces before that line end. Whoever
   * reads it after a kill finds this text or the one before: a write that has begun goes on to the end of a page of
   * memory, and what takes more than a page is replaced by rename each time.
   *
   * @throws DiskError
   */
  write(text: string): void {
    const bytes = padded(text, this.#open?.bytes ?? 0);
    if (this.#open?.bytes === bytes.length && this.#overwrite(this.#open.descriptor, bytes)) return;
    this.close();
    replacePrivateFile(this.#path, bytes.toString());
    if (bytes.length <= PAGE_BYTES) this.#reopen(bytes.length);
  }

  /** Lets go of the file; the next text opens it anew. */
  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.descriptor);
    this.#open = undefined;
  }

  #overwrite(descriptor: number, bytes: Uint8Array): boolean {
    try {
      return writeSync(descriptor, bytes, 0, bytes.length, 0) === bytes.length;
    } catch (error) {
      throw diskError(this.#path, error);
    }
  }

  #reopen(bytes: number): void {
    try {
      this.#open = { descriptor: openSync(this.#path, 'r+'), bytes };
    } catch (error) {
      throw diskError(this.#path, error);
    }
  }
}

/** Whole blocks, and no fewer than there are: so that writing over it asks for no space on the disk. */
function padded(text: string, leastBytes: number): Buffer {
  const needed = Buffer.byteLength(text);
  const bytes = Buffer.alloc(Math.max(Math.ceil(needed / BLOCK_BYTES) * BLOCK_BYTES, leastBytes), ' ');
  bytes.write(text.slice(0, -1));
  bytes.write('\n', bytes.length - 1);
  return bytes;
}

const BLOCK_BYTES = 512;
const PAGE_BYTES = 4096;
