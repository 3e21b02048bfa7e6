import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteForShell } from '../../../src/ui/render/shell.js';

describe('quoteForShell', () => {
  it.each([
    ['@:example.org:8448', '@:example.org:8448'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", String.raw`'it'\''s'`],
    ['$HOME', "'$HOME'"],
    ['~', "'~'"],
    ['*', "'*'"],
  ])('writes %j as %s', (word, quoted) => {
    expect(quoteForShell(word)).toBe(quoted);
  });

  it('comes out of a real shell as it went in', () => {
    const words = fc.sample(
      fc.string({ unit: 'grapheme' }).filter((word) => !word.includes('\0')),
      200,
    );
    const script = words.map((word) => `printf '%s\\0' ${quoteForShell(word)}`).join('\n');
    const { stdout } = spawnSync('sh', { input: script, encoding: 'utf8' });
    expect(stdout.split('\0').slice(0, -1)).toEqual(words);
  });
});
