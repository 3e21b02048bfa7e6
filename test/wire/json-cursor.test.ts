import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactJson, JsonCursor, JsonSyntaxError } from '../../src/wire/json-cursor.js';
import { almostJson, jsonText } from './json-texts.js';

describe('compactJson', () => {
  it.each([
    ['0', '0'],
    [' \t\r\n{ \t\r\n} \t\r\n', '{}'],
    ['[ ]', '[]'],
    [' [ 1 , -0 , 1.0 , 1e3 , 1E+3 , 9007199254740993 ] ', '[1,-0,1.0,1e3,1E+3,9007199254740993]'],
    ['{ "a" : { "b" : [ true , false , null ] } }', '{"a":{"b":[true,false,null]}}'],
    ['{ "a" : 1 , "a" : 2 }', '{"a":1,"a":2}'],
    ['" two  spaces, \\" a quote, a \\\\ "', '" two  spaces, \\" a quote, a \\\\ "'],
    ['"\\u65e5 \\ud800"', '"\\u65e5 \\ud800"'],
    ['"\u007f\u2028日😀"', '"\u007f\u2028日😀"'],
  ])('makes %j into %j', (text, line) => {
    expect(compactJson(text)).toBe(line);
  });

  it.each([
    ['', 0],
    [' ', 1],
    ['\ufeff{}', 0],
    ['\u00a01', 0],
    ['{', 1],
    ['{"a"}', 4],
    ['{"a":}', 5],
    ['{"a":1,}', 7],
    ['{a:1}', 1],
    ["{'a':1}", 1],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['[1}', 2],
    ['[', 1],
    ['1 2', 2],
    ['01', 1],
    ['1.', 1],
    ['.5', 0],
    ['+1', 0],
    ['-', 0],
    ['1e', 1],
    ['0x10', 1],
    ['NaN', 0],
    ['Infinity', 0],
    ['tru', 0],
    ['truex', 4],
    ['nul', 0],
    ['"', 0],
    ['"a', 0],
    ['"\\"', 0],
    ['"a\nb"', 2],
    ['"\u0000"', 1],
    ['"\\x"', 0],
    ['"\\u12g4"', 0],
    ['"\\u123"', 0],
    ['[1, "\\\\\\q"]', 4],
    ['// no\n1', 0],
  ])('refuses %j at offset %d', (text, offset) => {
    const error = syntaxError(() => compactJson(text));
    expect(error.offset).toBe(offset);
  });

  it('drops white space and nothing else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 2, '\t'), (value, indent) => {
        expect(compactJson(JSON.stringify(value, null, indent))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('takes what JSON.parse takes, refuses what it refuses, and throws nothing else', () => {
    fc.assert(
      fc.property(almostJson(), (text) => {
        expect(outcome(() => compactJson(text), JsonSyntaxError)).toBe(
          outcome(() => JSON.parse(text) as unknown, SyntaxError),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('never recurses, however deep the nesting', () => {
    const depth = 500_000;
    const text = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(compactJson(text)).toBe(text);
    expect(syntaxError(() => compactJson('{"a":'.repeat(depth))).offset).toBe(5 * depth);
  });

  it.each([
    ['digits', `1${'0'.repeat(5_000_000)}`],
    ['a fraction', `0.${'1'.repeat(5_000_000)}`],
    ['backslashes', `"${'\\\\'.repeat(5_000_000)}"`],
    ['escapes', `"${'\\u0041'.repeat(1_000_000)}"`],
    ['plain text', `"${'x '.repeat(5_000_000)}"`],
  ])('takes a very long run of %s', (_, text) => {
    expect(compactJson(text) === text).toBe(true);
  });
});

describe('JsonCursor', () => {
  it('visits members in order, repeats included', () => {
    const cursor = new JsonCursor(' { "b" : 1 , "a\\u0062" : [ ] , "b" : { } , "" : "x" } ');
    const seen: [string, string][] = [];
    cursor.object((key) => seen.push([key, cursor.slice()]));
    cursor.end();
    expect(seen).toEqual([
      ['b', '1'],
      ['ab', '[]'],
      ['b', '{}'],
      ['', '"x"'],
    ]);
  });

  it('visits items in order', () => {
    const cursor = new JsonCursor('[ 1 , "a" , [ 2 ] ]');
    const seen: [number, string][] = [];
    cursor.array((index) => seen.push([index, cursor.slice()]));
    cursor.end();
    expect(seen).toEqual([
      [0, '1'],
      [1, '"a"'],
      [2, '[2]'],
    ]);
  });

  it('reads each kind of value behind white space', () => {
    const read = <Value>(text: string, visit: (cursor: JsonCursor) => Value): Value => {
      const cursor = new JsonCursor(text);
      const value = visit(cursor);
      cursor.end();
      return value;
    };
    expect(read(' "a" ', (cursor) => cursor.string())).toBe('a');
    expect(read(' "\\n" ', (cursor) => cursor.string())).toBe('\n');
    expect(read(' -1.50 ', (cursor) => cursor.number())).toBe('-1.50');
    expect(read(' true ', (cursor) => cursor.literal())).toBe(true);
    expect(read(' false ', (cursor) => cursor.literal())).toBe(false);
    expect(read(' null ', (cursor) => cursor.literal())).toBe(null);
    expect(read(' [ 1 ] ', (cursor) => cursor.slice())).toBe('[1]');
  });

  it('tells the kind of a value without consuming it', () => {
    for (const [text, kind] of [
      ['{', 'object'],
      ['[', 'array'],
      ['"', 'string'],
      ['-', 'number'],
      ['0', 'number'],
      ['9', 'number'],
      ['t', 'boolean'],
      ['f', 'boolean'],
      ['n', 'null'],
    ] as const) {
      const cursor = new JsonCursor(` ${text}`);
      expect(cursor.kind()).toBe(kind);
      expect(cursor.kind()).toBe(kind);
      expect(cursor.offset).toBe(1);
    }
  });

  it.each([
    ['an object', '[]', (cursor: JsonCursor) => cursor.object(() => cursor.skip())],
    ['an array', '{}', (cursor: JsonCursor) => cursor.array(() => cursor.skip())],
    ['a string', '1', (cursor: JsonCursor) => cursor.string()],
    ['a number', '"1"', (cursor: JsonCursor) => cursor.number()],
    ['a value', '1', (cursor: JsonCursor) => cursor.literal()],
    ['the end', '1', (cursor: JsonCursor) => cursor.end()],
  ])('says that it wanted %s', (wanted, text, read) => {
    expect(syntaxError(() => read(new JsonCursor(text))).message).toBe(
      `expected ${wanted}, found something else`,
    );
    if (wanted !== 'the end') {
      expect(syntaxError(() => read(new JsonCursor(' '))).message).toBe(`expected ${wanted}, found the end`);
    }
  });

  it('decodes strings as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        for (const text of [JSON.stringify(value), escapeEverything(value)]) {
          expect(new JsonCursor(text).string()).toBe(value);
        }
      }),
    );
  });

  it('slices values out of a document as they stand', () => {
    fc.assert(
      fc.property(fc.array(jsonText()), (values) => {
        const cursor = new JsonCursor(` [ ${values.join(' , ')} ] `);
        const slices: string[] = [];
        cursor.array(() => slices.push(cursor.slice()));
        cursor.end();
        expect(slices).toEqual(values.map(compactJson));
      }),
    );
  });
});

function escapeEverything(value: string): string {
  const units = Array.from({ length: value.length }, (_, index) => value.charCodeAt(index));
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`;
}

/** `taken`, `refused`, or the name of an error that nobody expects. */
function outcome(action: () => unknown, expected: new (...args: never[]) => Error): string {
  try {
    action();
    return 'taken';
  } catch (error) {
    return error instanceof expected ? 'refused' : String(error);
  }
}

function syntaxError(action: () => unknown): JsonSyntaxError {
  try {
    action();
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
