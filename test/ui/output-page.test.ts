import { describe, expect, it } from 'vitest';
import { OutputPage, type Filling } from '../../src/ui/output-page.js';
import { openStreams, type WritableLike } from '../../src/ui/streams.js';
import { PLAIN_STREAMS } from '../kit/run-cli.js';

/** Writes the part of the block three times. */
const THRICE: Filling = {
  fill: (page, at, block, start, end) => {
    const part = block.subarray(start, end);
    if (at + 3 * part.length > page.length) return undefined;
    for (const time of [0, 1, 2]) page.set(part, at + time * part.length);
    return at + 3 * part.length;
  },
};

function open() {
  const writes: string[] = [];
  const stdout: WritableLike = {
    write: (text, done) => {
      writes.push(Buffer.from(text).toString()); // at once: afterwards the bytes are used again
      done();
      return true;
    },
    on: () => undefined,
  };
  return { writes, page: new OutputPage(openStreams({ stdout, stderr: stdout }, PLAIN_STREAMS).out) };
}

describe('OutputPage', () => {
  it('writes at once what was collected, in order', async () => {
    const { writes, page } = open();
    await page.add('é');
    expect(page.fill(THRICE, Buffer.from('xaby'), 1, 3)).toBe(true);
    await page.add('z');
    expect(writes).toEqual([]);
    await page.flush();
    expect(writes).toEqual(['éabababz']);
  });

  it('is empty when it was written, and nothing is not written', async () => {
    const { writes, page } = open();
    await page.flush();
    await page.add('a');
    expect(page.isEmpty).toBe(false);
    await page.flush();
    expect(page.isEmpty).toBe(true);
    await page.flush();
    await page.add('b');
    await page.flush();
    expect(writes).toEqual(['a', 'b']);
  });

  it('says when there is no room, and keeps what it has', async () => {
    const { writes, page } = open();
    const block = Buffer.alloc(300_000, 'a');
    expect(page.fill(THRICE, block, 0, 300_000)).toBe(true);
    expect(page.fill(THRICE, block, 0, 300_000)).toBe(false);
    await page.flush();
    expect(writes).toEqual(['a'.repeat(900_000)]);
  });

  it('writes first what there is when a text has no room, and by itself what never has', async () => {
    const { writes, page } = open();
    const [large, huge] = ['b'.repeat(300_000), 'c'.repeat(2_000_000)];
    for (const text of ['a', large, large, huge, 'd']) await page.add(text);
    await page.flush();
    expect(writes.map((text) => text.length)).toEqual([300_001, 300_000, 2_000_000, 1]);
    expect(writes.join('')).toBe(`a${large}${large}${huge}d`);
  });
});
