import { describe, expect, it } from 'vitest';
import { encodeJson, parseJson } from '../../src/wire/json.js';
import { parseJsonPointer, resolveJsonPointer } from '../../src/wire/json-pointer.js';

/** The document of RFC 6901, section 5. */
const DOCUMENT = String.raw`{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}`;

function at(document: string, text: string): string | undefined {
  const pointer = parseJsonPointer(text);
  if (pointer === undefined) throw new Error(`${text} is no pointer`);
  const node = resolveJsonPointer(parseJson(document), pointer);
  return node && encodeJson(node);
}

describe('resolveJsonPointer', () => {
  it.each([
    ['', DOCUMENT],
    ['/foo', '["bar","baz"]'],
    ['/foo/0', '"bar"'],
    ['/', '0'],
    ['/a~1b', '1'],
    ['/c%d', '2'],
    ['/e^f', '3'],
    ['/g|h', '4'],
    ['/i\\j', '5'],
    ['/k"l', '6'],
    ['/ ', '7'],
    ['/m~0n', '8'],
  ])('%j leads where RFC 6901, section 5, says', (pointer, expected) => {
    expect(at(DOCUMENT, pointer)).toBe(expected);
  });

  it.each(['/nothing', '/foo/2', '/foo/00', '/foo/-', '/foo/0/deeper', '/foo/bar', '/foo/1e0'])(
    '%j leads nowhere',
    (pointer) => {
      expect(at(DOCUMENT, pointer)).toBeUndefined();
    },
  );

  it('unescapes ~01 to ~1, not to /', () => {
    expect(at('{"~1":1,"/":2}', '/~01')).toBe('1');
  });

  it('takes the last of equal keys, and __proto__ as a key like any other', () => {
    expect(at('{"a":1,"a":2}', '/a')).toBe('2');
    expect(at('{"__proto__":1}', '/__proto__')).toBe('1');
    expect(at('{}', '/__proto__')).toBeUndefined();
  });

  it('keeps a number as it was written', () => {
    expect(at('{"a":[9007199254740993]}', '/a/0')).toBe('9007199254740993');
  });
});

describe('parseJsonPointer', () => {
  it.each(['foo', 'foo/bar', ' /foo', '/a~', '/a~2', '#/foo'])('refuses %j', (text) => {
    expect(parseJsonPointer(text)).toBeUndefined();
  });
});
