import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitLines, type Line } from '../../src/wire/lines.js';

describe('splitLines', () => {
  it.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['\n', ['']],
    ['a\n\nb', ['a', '', 'b']],
    ['a\r\nb\rc\u2028d\u0085e\n', ['a\r', 'b\rc\u2028d\u0085e']],
    ['\ufeffa\n\ufeffb\n', ['\ufeffa', '\ufeffb']],
  ])('splits %j at line feeds only', async (text, expected) => {
    expect(await texts([Buffer.from(text)])).toEqual(expected);
  });

  it('does not depend on how the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom('a', '\n', 'ü', '😀', '\r') }),
        fc.array(fc.nat({ max: 40 })),
        async (text, cuts) => {
          const bytes = Buffer.from(text);
          const edges = [0, ...cuts.filter((at) => at < bytes.length).sort((a, b) => a - b), bytes.length];
          const chunks = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
          expect(await texts(chunks)).toEqual(await texts([bytes]));
        },
      ),
    );
  });

  it('counts from 1 across portions', async () => {
    const lines = await linesOf([Buffer.from('a\nb'), Buffer.from('c\n\nd')]);
    expect(lines.map(({ number, text }) => [number, text])).toEqual([
      [1, 'a'],
      [2, 'bc'],
      [3, ''],
      [4, 'd'],
    ]);
  });

  it('tells a line that is no UTF-8, and goes on', async () => {
    expect(await texts([Buffer.from([0x61, 0x0a, 0xff, 0x0a, 0x62])])).toEqual([
      'a',
      { fault: 'not_utf8' },
      'b',
    ]);
    expect(await texts([Buffer.from('\n'), Buffer.from('ü').subarray(0, 1)])).toEqual([
      '',
      { fault: 'not_utf8' },
    ]);
  });

  it('tells a line that is too long, forgets it, and goes on', async () => {
    const chunks = ['1234', '5\n12345', '6789', '0\n12', '345\n'].map((text) => Buffer.from(text));
    expect(await texts(chunks, 5)).toEqual(['12345', { fault: 'too_long' }, '12345']);
    expect(await texts([Buffer.from('123456')], 5)).toEqual([{ fault: 'too_long' }]);
  });

  it('gives each portion as soon as its chunk has come', async () => {
    const asked: string[] = [];
    async function* chunks() {
      for (const text of ['a\nb', '\n', 'c']) {
        asked.push(text);
        yield await Promise.resolve(Buffer.from(text));
      }
    }
    const portions = splitLines(chunks(), 100);
    expect((await portions.next()).value).toEqual([{ number: 1, text: 'a' }]);
    expect(asked).toEqual(['a\nb']);
    expect((await portions.next()).value).toEqual([{ number: 2, text: 'b' }]);
    expect((await portions.next()).value).toEqual([{ number: 3, text: 'c' }]);
    expect((await portions.next()).done).toBe(true);
  });
});

async function texts(chunks: readonly Uint8Array[], maxBytes = 1000): Promise<Line['text'][]> {
  return (await linesOf(chunks, maxBytes)).map(({ text }) => text);
}

async function linesOf(chunks: readonly Uint8Array[], maxBytes = 1000): Promise<Line[]> {
  async function* source() {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  }
  const lines: Line[] = [];
  for await (const portion of splitLines(source(), maxBytes)) lines.push(...portion);
  return lines;
}
