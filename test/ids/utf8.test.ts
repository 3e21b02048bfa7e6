import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isUtf8 } from '../../src/ids/utf8.js';

it.each<[what: string, bytes: readonly number[], expected: boolean]>([
  ['nothing', [], true],
  ['the first and the last of two bytes', [0xc2, 0x80, 0xdf, 0xbf], true],
  ['the first and the last of three', [0xe0, 0xa0, 0x80, 0xef, 0xbf, 0xbf], true],
  ['the first and the last of four', [0xf0, 0x90, 0x80, 0x80, 0xf4, 0x8f, 0xbf, 0xbf], true],
  ['what stands about the surrogates', [0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80], true],
  ['a surrogate', [0xed, 0xa0, 0x80], false],
  ['NUL in two bytes', [0xc0, 0x80], false],
  ['two bytes that would fit into one', [0xc1, 0xbf], false],
  ['three bytes that would fit into two', [0xe0, 0x9f, 0xbf], false],
  ['four bytes that would fit into three', [0xf0, 0x8f, 0xbf, 0xbf], false],
  ['what is above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], false],
  ['a continuation alone', [0x80], false],
  ['a sequence cut short', [0xe2, 0x82], false],
  ['a sequence that another one breaks', [0xe2, 0x82, 0xc3, 0xa9], false],
])('isUtf8 knows %s', (_what, bytes, expected) => {
  expect(isUtf8(Uint8Array.from(bytes), 0, bytes.length)).toBe(expected);
});

it('isUtf8 looks at a part of the bytes only', () => {
  const bytes = Uint8Array.of(0xff, 0xc3, 0xa9, 0xa9);
  expect(isUtf8(bytes, 1, 3)).toBe(true);
  expect(isUtf8(bytes, 1, 2)).toBe(false); // the sequence goes on behind the end
});

it('isUtf8 says what a strict decoder says', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => [...new TextEncoder().encode(text)]),
    fc.array(
      fc.constantFrom(
        0x41,
        0x7f,
        0x80,
        0x8f,
        0x90,
        0x9f,
        0xa0,
        0xbf,
        0xc1,
        0xc2,
        0xe0,
        0xed,
        0xf0,
        0xf4,
        0xf5,
      ),
    ),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const bytes = Uint8Array.from(parts.flat());
      expect(isUtf8(bytes, 0, bytes.length)).toBe(decodes(bytes));
    }),
    { seed: 4246, numRuns: 3000 },
  );
});

function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
