import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { chunksOf, readTextFrom } from '../../src/ui/file-input.js';
import { openInput, type Input } from '../../src/ui/streams.js';

/** stdin that was closed, or opened for writing. */
function brokenInput(): Input {
  const fault = Object.assign(new Error('EBADF: bad file descriptor, read'), {
    code: 'EBADF',
    syscall: 'read',
  });
  const stream = new Readable({
    read() {
      this.destroy(fault);
    },
  });
  return openInput(stream, new AbortController().signal);
}

const UNREADABLE = { code: 'unreadable_file', message: 'cannot read stdin: EBADF' };

describe('stdin that cannot be read', () => {
  it('is told as a text', async () => {
    await expect(readTextFrom('-', brokenInput(), 'the content')).rejects.toMatchObject(UNREADABLE);
  });

  it('is told in portions', async () => {
    await expect(chunksOf(brokenInput()).next()).rejects.toMatchObject(UNREADABLE);
  });
});
