import { describe, expect, it } from 'vitest';
import { parseDurationMs, parseRatePerSecond } from '../src/duration.js';
import { InvalidInputError } from '../src/errors.js';

describe('parseDurationMs', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['7', 7000],
    ['1.5s', 1500],
    ['0', 0],
  ])('reads %s', (text, expected) => {
    expect(parseDurationMs(text, '--timeout')).toBe(expected);
  });

  it.each(['', 's', '-1s', '5 s', '5d', '1e3', 'forever', '5ss', '٣s'])(
    'refuses %j and names the flag',
    (text) => {
      expect(() => parseDurationMs(text, '--timeout')).toThrow(InvalidInputError);
      expect(() => parseDurationMs(text, '--timeout')).toThrow(/--timeout/);
    },
  );
});

describe('parseRatePerSecond', () => {
  it.each([
    ['10/s', 10],
    ['0.5/s', 0.5],
  ])('reads %s', (text, expected) => {
    expect(parseRatePerSecond(text, '--rate')).toBe(expected);
  });

  it.each(['', '10', '0/s', '-1/s', '10/m', '/s', '1e3/s'])('refuses %j and names the flag', (text) => {
    expect(() => parseRatePerSecond(text, '--rate')).toThrow(InvalidInputError);
    expect(() => parseRatePerSecond(text, '--rate')).toThrow(/--rate/);
  });
});
