import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalJson } from '../../src/wire/json-equal.js';
import { parseJson } from '../../src/wire/json.js';

function equal(a: string, b: string): boolean {
  return equalJson(parseJson(a), parseJson(b));
}

describe('equalJson', () => {
  it.each([
    ['1', '1.0'],
    ['1', '10e-1'],
    ['100', '1e2'],
    ['1E+2', '1e2'],
    ['-0', '0'],
    ['0.0e5', '0'],
    ['0.001', '1e-3'],
    ['9007199254740993', '9007199254740993.0'],
    ['1e999999999999999999999', '10e999999999999999999998'],
    ['"a"', '"\\u0061"'],
    ['[1,[2]]', '[1.0,[2e0]]'],
    ['{"a":1,"b":2}', '{"b":2,"a":1}'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['null', 'null'],
    ['true', 'true'],
  ])('%s and %s are the same', (a, b) => {
    expect(equal(a, b)).toBe(true);
    expect(equal(b, a)).toBe(true);
  });

  it.each([
    ['9007199254740993', '9007199254740992'],
    ['1', '-1'],
    ['1', '10'],
    ['0.1', '0.10000000000000000001'],
    ['1e400', '1e401'],
    ['1', '"1"'],
    ['1', 'true'],
    ['null', 'false'],
    ['[1,2]', '[2,1]'],
    ['[1]', '[1,1]'],
    ['{}', '[]'],
    ['{"a":1}', '{"a":1,"b":1}'],
    ['{"a":1}', '{"b":1}'],
    ['{"a":null}', '{}'],
    ['"a"', '"A"'],
  ])('%s and %s are not', (a, b) => {
    expect(equal(a, b)).toBe(false);
    expect(equal(b, a)).toBe(false);
  });

  it('takes no long time for a number that a stranger made long', () => {
    expect(equal(`1${'0'.repeat(1_000_000)}1`, '1')).toBe(false);
  });

  it('finds every value equal to itself, written again', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(equal(text, JSON.stringify(JSON.parse(text)))).toBe(true);
      }),
    );
  });
});
