import { describe, expect, it } from 'vitest';
import { chosen, parseBenchOptions } from '../../bench/options.js';

describe('the command line', () => {
  it.each([
    [[], { only: undefined, rounds: undefined, guard: false }],
    [['--only', '1,7b', '--rounds', '5'], { only: ['1', '7b'], rounds: 5, guard: false }],
    [['--guard'], { only: undefined, rounds: undefined, guard: true }],
  ])('%j', (args, options) => {
    expect(parseBenchOptions(args)).toEqual(options);
  });

  it.each(['0', '-1', '1.5', 'many', ''])('has no rounds in %j', (rounds) => {
    expect(() => parseBenchOptions([`--rounds=${rounds}`])).toThrow('is no number of rounds');
  });

  it('has no other flags', () => {
    expect(() => parseBenchOptions(['--fast'])).toThrow('--fast');
  });
});

describe('the rows', () => {
  const rows = ['1a', '1b', '2', '12'].map((id) => ({ id }));
  const named = (only?: string[]) => chosen(rows, only).map(({ id }) => id);

  it.each([
    [undefined, ['1a', '1b', '2', '12']],
    [['1'], ['1a', '1b']],
    [
      ['1b', '12'],
      ['1b', '12'],
    ],
    [['2'], ['2']],
  ])('that %j names are %j', (only, ids) => {
    expect(named(only)).toEqual(ids);
  });

  it('are named, or it is said which there are', () => {
    expect(() => named(['13'])).toThrow('there is no row 13, only 1a, 1b, 2, 12');
  });
});
