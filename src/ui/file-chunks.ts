/** Reading an open file from where it stands to its end. */
import { readSync } from 'node:fs';

/**
 * The bytes of the file, in large chunks. Each is read at once: what is in a file is there, and to have it fetched by
 * another thread takes longer. In between signals are heard.
 *
 * For regular files only: a read of anything else may wait for ever.
 * @param isLent a chunk is overwritten by the next one; memory that is used again costs less than memory that is new
 * @throws the system's error
 */
export async function* chunksOfDescriptor(descriptor: number, isLent: boolean): AsyncGenerator<Uint8Array> {
  let bytes = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const length = readSync(descriptor, bytes, 0, CHUNK_BYTES, null);
    if (length === 0) return;
    yield bytes.subarray(0, length);
    if (!isLent) bytes = new Uint8Array(CHUNK_BYTES);
    await new Promise(setImmediate);
  }
}

const CHUNK_BYTES = 256 * 1024;
