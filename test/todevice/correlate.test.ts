import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { parseUserId } from '../../src/ids/user-id.js';
import { isAnswer, parseContentMatch } from '../../src/todevice/correlate.js';
import { compileGlob } from '../../src/todevice/glob.js';
import { compactJson, encodeJson } from '../../src/wire/json.js';

describe('isAnswer', () => {
  const from = parseUserId('@:example.org');
  const answer = { sender: '@:example.org', type: 'mx2s.pong', content: compactJson('{"nonce":"n","n":1}') };
  const rule = { from, type: compileGlob('*'), matches: [] };

  it('takes any type and content from whom was asked', () => {
    expect(isAnswer(answer, rule)).toBe(true);
    expect(isAnswer({ ...answer, type: undefined, content: compactJson('null') }, rule)).toBe(true);
  });

  it.each(['@:example.com', '@alice:example.org', '@:example.org:8448', undefined])(
    'takes nothing from %s',
    (sender) => {
      expect(isAnswer({ ...answer, sender }, rule)).toBe(false);
    },
  );

  it('asks for the type', () => {
    expect(isAnswer(answer, { ...rule, type: compileGlob('mx2s.po*') })).toBe(true);
    expect(isAnswer(answer, { ...rule, type: compileGlob('mx2s.ping') })).toBe(false);
    expect(isAnswer({ ...answer, type: undefined }, { ...rule, type: compileGlob('mx2s.pong') })).toBe(false);
  });

  it.each([
    [['/nonce=n'], true],
    [['/nonce=n', '/n=1'], true],
    [['/nonce=n', '/n=2'], false],
    [['/n=1.0'], true],
    [['/n="1"'], false],
    [['/absent=null'], false],
    [['={"n":1,"nonce":"n"}'], true],
  ])('asks for %j in the content: %s', (texts, expected) => {
    expect(isAnswer(answer, { ...rule, matches: texts.map(parseContentMatch) })).toBe(expected);
  });

  it('compares big integers digit by digit', () => {
    const content = compactJson('{"n":9007199254740993}');
    const asked = (text: string): boolean =>
      isAnswer({ ...answer, content }, { ...rule, matches: [parseContentMatch(text)] });
    expect(asked('/n=9007199254740993')).toBe(true);
    expect(asked('/n=9007199254740992')).toBe(false);
  });

  it('survives content that is no object, or nests without end', () => {
    const matches = [parseContentMatch('/n=1')];
    for (const text of ['null', '[1]', '"x"', '['.repeat(10_000) + ']'.repeat(10_000)]) {
      expect(isAnswer({ ...answer, content: compactJson(text) }, { ...rule, matches })).toBe(false);
    }
  });
});

describe('parseContentMatch', () => {
  it.each([
    ['/a=1', ['a'], '1'],
    ['/a=abc', ['a'], '"abc"'],
    ['/a="1"', ['a'], '"1"'],
    ['/a=', ['a'], '""'],
    ['/a=b=c', ['a'], '"b=c"'],
    ['/a={"b":1}', ['a'], '{"b":1}'],
    ['/a=01', ['a'], '"01"'],
    ['=null', [], 'null'],
  ])('reads %s', (text, pointer, value) => {
    const match = parseContentMatch(text);
    expect(match.pointer).toEqual(pointer);
    expect(encodeJson(match.value)).toBe(value);
  });

  it.each(['/a', 'a=1', '', '/a~=1'])('refuses %j', (text) => {
    expect(() => parseContentMatch(text)).toThrow(InvalidInputError);
  });
});
