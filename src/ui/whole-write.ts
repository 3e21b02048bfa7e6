/** Writing to a file descriptor until all of it is there. */
import { closeSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';

/**
 * Writes all of a text or its bytes, or throws: a disk that fills up takes a part of a write and says so only in its
 * result, which Node's stream for a redirected stdout does not look at.
 *
 * @throws the system's error, `ENOSPC` among them
 */
export function writeWhole(descriptor: number, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}

/** Is this descriptor a regular file? */
export function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

/** Is this descriptor the device that takes everything and keeps nothing? */
export function isNull(descriptor: number): boolean {
  try {
    const { rdev } = fstatSync(descriptor);
    return rdev !== 0 && rdev === statSync('/dev/null').rdev;
  } catch {
    return false;
  }
}

/**
 * Does the file end in the middle of a line, because somebody was killed while writing it? False where that cannot
 * be known: the descriptor itself may be for writing only, and is opened anew by its name below `/dev/fd`.
 */
export function endsTorn(descriptor: number): boolean {
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return false;
    const reading = openSync(`/dev/fd/${descriptor}`, 'r');
    try {
      const last = Buffer.alloc(1);
      return readSync(reading, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
    } finally {
      closeSync(reading);
    }
  } catch {
    return false;
  }
}

const NEWLINE = 0x0a;
