import { describe, expect, it } from 'vitest';
import { parseCount, parseGlobals } from '../../src/commands/globals.js';
import { InvalidInputError, UsageError } from '../../src/errors.js';

describe('parseGlobals', () => {
  it('has the defaults that are promised', () => {
    expect(parseGlobals({})).toEqual({
      profile: undefined,
      homeserver: undefined,
      accessTokenFile: undefined,
      format: undefined,
      color: 'auto',
      quiet: false,
      verbose: false,
      trace: false,
      traceFile: undefined,
      retries: 5,
      maxWaitMs: 60_000,
      caCertFile: undefined,
      insecure: false,
      proxy: undefined,
    });
  });

  it.each([
    [{ json: true, text: true }, '--json and --text'],
    [{ color: 'blue' }, '--color'],
    [{ retries: '-1' }, '--retries'],
    [{ retries: '1.5' }, '--retries'],
    [{ maxWait: 'soon' }, '--max-wait'],
  ])('refuses %j and names the flag', (flags, named) => {
    expect(() => parseGlobals(flags)).toThrow(named);
  });

  it('tells usage from unusable values', () => {
    expect(() => parseGlobals({ color: 'blue' })).toThrow(UsageError);
    expect(() => parseGlobals({ maxWait: 'soon' })).toThrow(InvalidInputError);
  });
});

it('parseCount holds a flag to its minimum', () => {
  expect(parseCount('1', '--count', 1)).toBe(1);
  expect(() => parseCount('0', '--count', 1)).toThrow('--count');
  expect(() => parseCount('9007199254740993', '--count')).toThrow('--count');
});
