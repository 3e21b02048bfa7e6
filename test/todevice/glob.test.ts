import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../src/todevice/glob.js';

describe('compileGlob', () => {
  it.each([
    ['org.example.ping', 'org.example.ping', true],
    ['org.example.ping', 'org.example.pings', false],
    ['org.example.ping', 'orgXexampleXping', false],
    ['*', '', true],
    ['*', 'anything', true],
    ['org.example.*', 'org.example.', true],
    ['org.example.*', 'org.example.a.b', true],
    ['org.example.*', 'org.example', false],
    ['*.ping', 'mx2s.ping', true],
    ['*.ping', 'mx2s.pong', false],
    ['a*b*c', 'a1b2b3c', true],
    ['a*b*c', 'a1b2b3', false],
    ['**', '', true],
    ['a**b', 'ab', true],
    ['?', '', false],
    ['?', 'x', true],
    ['?', '🐈', true],
    ['m?s.*', 'mls.message', true],
    ['', '', true],
    ['', 'a', false],
    ['[ab]', 'a', false],
    ['[ab]', '[ab]', true],
    ['a\\*', 'a\\b', true],
  ])('%j against %j: %s', (pattern, text, expected) => {
    expect(compileGlob(pattern)(text)).toBe(expected);
  });

  it('agrees with a regular expression', () => {
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 12 });
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(compileGlob(pattern)(text)).toBe(new RegExp(`^${source}$`, 's').test(text));
      }),
    );
  });

  it('is not slowed down by a text that nearly matches', () => {
    const glob = compileGlob(`${'*a'.repeat(30)}b`);
    expect(glob('a'.repeat(20_000))).toBe(false);
  });
});
