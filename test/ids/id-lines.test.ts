import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idLines, type IdLine } from '../../src/ids/id-lines.js';

describe('idLines', () => {
  it.each<[name: string, bytes: string, lines: readonly IdLine[]]>([
    ['counts a last line without an end', 'a\nb', ['a', 'b']],
    ['finds nothing after the last end', 'a\nb\n', ['a', 'b']],
    ['counts empty lines', '\n\na\n\n', ['', '', 'a', '']],
    ['finds no line in nothing', '', []],
    ['leaves the carriage return to the identifier', 'a\r\nb\rc\n', ['a\r', 'b\rc']],
    ['knows no other line end', 'a\u2028b\u0085c\v\f\n', ['a\u2028b\u0085c\v\f']],
    ['keeps a byte order mark', '\ufeffa\n', ['\ufeffa']],
  ])('%s', async (_name, text, lines) => {
    expect(await linesOf([encode(text)])).toEqual(lines);
  });

  it('tells bytes that are not UTF-8 from text, line by line', async () => {
    const bytes = Uint8Array.from([
      0x61, 0x0a, 0xff, 0x62, 0x0a, 0x0a, 0xed, 0xa0, 0x80, 0x0a, 0xc3, 0xa9, 0x0a, 0xc3,
    ]);
    const lines = await linesOf([bytes]);
    expect(lines).toEqual([
      'a',
      { shown: '\ufffdb' },
      '',
      { shown: '\ufffd\ufffd\ufffd' }, // a surrogate half has no UTF-8
      'é',
      { shown: '\ufffd' },
    ]);
  });

  it('finds the same lines however the bytes are cut', async () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }).map(encode),
      fc.uint8Array({ maxLength: 8 }),
      fc.constant(encode('')),
    );
    const cuts = fc.array(fc.nat(60), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(line), cuts, async (parts, places) => {
        const bytes = Uint8Array.from(parts.flatMap((part) => [...part, 0x0a]));
        const whole = await linesOf([bytes]);
        expect(await linesOf(cutAt(bytes, places))).toEqual(whole);
        expect(whole).toEqual(linesOneByOne(bytes));
      }),
      { seed: 4246, numRuns: 500 },
    );
  });

  it('gives lines out as soon as they are complete', async () => {
    const batches: (readonly IdLine[])[] = [];
    for await (const batch of idLines(chunksOf(['a\nb', 'c', '\nd\n'].map(encode)))) batches.push(batch);
    expect(batches).toEqual([['a'], ['bc', 'd']]);
  });

  it('keeps no more than the first MiB of a line, and goes on behind it', async () => {
    const part = new Uint8Array(65_536).fill(0x61);
    const lines = await linesOf([encode('a\n'), ...Array<Uint8Array>(64).fill(part), encode('b\nc')]);
    expect(lines.map((line) => (typeof line === 'string' ? line.length : line))).toEqual([1, 2 ** 20, 1]);
    expect(lines[2]).toBe('c');
  });

  it.each([1, 2, 3])('cuts it between characters, however it comes (%i bytes first)', async (bytesBefore) => {
    const line = encode(`${'a'.repeat(bytesBefore)}${'\u65e5'.repeat(600_000)}`);
    const cut = 'a'.repeat(bytesBefore) + '\u65e5'.repeat(Math.floor((2 ** 20 - bytesBefore) / 3));
    for (const places of [[], [100_000], [2 ** 20 - 1], [2 ** 20 + 1, 1_500_000]]) {
      const lines = await linesOf(cutAt(line, places));
      expect(lines.map((each) => each === cut)).toEqual([true]);
    }
  });
});

async function linesOf(chunks: readonly Uint8Array[]): Promise<readonly IdLine[]> {
  const lines: IdLine[] = [];
  for await (const batch of idLines(chunksOf(chunks))) lines.push(...batch);
  return lines;
}

async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

/** The slow twin: each line by itself, through Node's own decoder. */
function linesOneByOne(bytes: Uint8Array): readonly IdLine[] {
  const lines: IdLine[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0x0a, start);
    const line = Buffer.from(bytes.subarray(start, end));
    const text = line.toString('utf8');
    lines.push(Buffer.from(text).equals(line) ? text : { shown: text });
    start = end + 1;
  }
  return lines;
}

function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
