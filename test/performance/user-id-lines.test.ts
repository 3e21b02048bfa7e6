import { describe, expect, it } from 'vitest';
import { userIdLines } from '../../bench/user-id-lines.js';
import { gradeUserId } from '../../src/ids/user-id.js';

const lines = userIdLines(10_000).split('\n').slice(0, -1);

describe('the lines to validate', () => {
  it('are as many as are asked for, and always the same', () => {
    expect(lines).toHaveLength(10_000);
    expect(userIdLines(10_000).split('\n').slice(0, -1)).toEqual(lines);
  });

  it('are server users, ordinary users, historical ones and none at all', () => {
    const share = (isSuch: (line: string) => boolean) => lines.filter(isSuch).length / lines.length;
    const valid = (grammar: 'strict' | 'historical' | 'msc4246') => (line: string) =>
      gradeUserId(line).grammars[grammar].valid;
    expect(share((line) => gradeUserId(line).isServer)).toBeCloseTo(0.3, 1);
    expect(share(valid('strict'))).toBeCloseTo(0.5, 1);
    expect(share((line) => valid('historical')(line) && !valid('msc4246')(line))).toBeGreaterThan(0.02);
    expect(share((line) => !valid('historical')(line))).toBeGreaterThan(0.1);
  });
});
