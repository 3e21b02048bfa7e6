import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeText } from '../../src/ui/escape.js';

describe('escapeText', () => {
  it.each([
    ['a\u001b[31mred', 'a\\u001b[31mred', 'C0'],
    ['a\nb\tc', 'a\\u000ab\\u0009c', 'line ends and tabs are controls, too'],
    ['\u007f', '\\u007f', 'DEL'],
    ['\u0085\u009b', '\\u0085\\u009b', 'C1'],
    ['\u202eevil', '\\u202eevil', 'right-to-left override'],
    ['\u2066x\u2069', '\\u2066x\\u2069', 'isolates'],
    ['a\u200bb\u2060\ufeff', 'a\\u200bb\\u2060\\ufeff', 'zero width'],
    ['\u2028\u2029', '\\u2028\\u2029', 'line separators'],
    ['\ud83d', '\\ud83d', 'half of a pair'],
    ['🐈 héllo 日本', '🐈 héllo 日本', 'ordinary text stays'],
  ])('%j becomes %j (%s)', (text, expected) => {
    expect(escapeText(text)).toBe(expected);
  });

  it('keeps the meaning of any JSON text', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(escapeText(JSON.stringify(JSON.parse(text))))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('leaves nothing in the output that a terminal would obey', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeText(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\ufeff]/);
      }),
    );
  });
});
