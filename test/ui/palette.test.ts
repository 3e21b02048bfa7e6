import { describe, expect, it } from 'vitest';
import { paletteFor, wantsColor, type ColorChoice } from '../../src/ui/palette.js';

describe('wantsColor', () => {
  it.each<[ColorChoice, Record<string, string>, boolean, boolean, string]>([
    ['auto', {}, true, true, 'a terminal'],
    ['auto', {}, false, false, 'no terminal'],
    ['auto', { NO_COLOR: '1' }, true, false, 'NO_COLOR'],
    ['auto', { NO_COLOR: '' }, true, true, 'an empty NO_COLOR counts as none'],
    ['auto', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false, 'NO_COLOR before FORCE_COLOR'],
    ['auto', { FORCE_COLOR: '1' }, false, true, 'FORCE_COLOR'],
    ['auto', { FORCE_COLOR: '0' }, true, false, 'FORCE_COLOR=0'],
    ['auto', { FORCE_COLOR: '1', TERM: 'dumb' }, false, true, 'FORCE_COLOR before TERM'],
    ['auto', { TERM: 'dumb' }, true, false, 'a dumb terminal'],
    ['always', { NO_COLOR: '1' }, false, true, '--color before everything'],
    ['never', { FORCE_COLOR: '1' }, true, false, '--color before everything'],
  ])('%s with %j on a terminal=%s: %s (%s)', (choice, env, isTerminal, expected) => {
    expect(wantsColor(choice, env, isTerminal)).toBe(expected);
  });
});

describe('the palette of a stream', () => {
  it('has colours, whatever else would have decided', () => {
    expect(paletteFor('always', { NO_COLOR: '1' }, false).bad('x')).toBe('\u001b[31mx\u001b[39m');
  });

  it('has none where none are wanted', () => {
    expect(paletteFor('auto', {}, false).bad('x')).toBe('x');
  });
});
