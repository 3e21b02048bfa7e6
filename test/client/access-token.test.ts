import { describe, expect, it } from 'vitest';
import { parseAccessToken } from '../../src/client/access-token.js';
import { InvalidInputError } from '../../src/errors.js';

describe('parseAccessToken', () => {
  it.each(['syt_YWxpY2U_abc', '!~', 'a.b-c_d=='])('takes %j', (token) => {
    expect(parseAccessToken(token)).toBe(token);
  });

  it.each([
    '',
    'secret token',
    'secret\n',
    'secret\r\nX-Evil: 1',
    'secret\u00e9',
    '\ufeffsecret',
    'secret\0',
    'secret\x7f',
  ])('refuses %j, and does not show it', (token) => {
    expect(() => parseAccessToken(token)).toThrow(InvalidInputError);
    expect(() => parseAccessToken(token)).not.toThrow(/secret/);
  });
});
