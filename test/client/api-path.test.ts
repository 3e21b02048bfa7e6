import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiPath } from '../../src/client/api-path.js';
import { InvalidInputError } from '../../src/errors.js';

describe('apiPath', () => {
  it.each([
    ['m.room/key', '/v3/x/m.room%2Fkey'],
    ["!'()*", '/v3/x/%21%27%28%29%2A'],
    ['@:a.example', '/v3/x/%40%3Aa.example'],
    ['€ 😀', '/v3/x/%E2%82%AC%20%F0%9F%98%80'],
    ['%2F', '/v3/x/%252F'],
    ['a?b#c', '/v3/x/a%3Fb%23c'],
    ['', '/v3/x/'],
    ['...', '/v3/x/...'],
    ['-._~', '/v3/x/-._~'],
  ])('encodes %j', (value, path) => {
    expect(apiPath`/v3/x/${value}`).toBe(path);
  });

  it.each(['.', '..', '\ud800', 'a\udfffb'])('refuses %j, which no path can carry', (value) => {
    expect(() => apiPath`/v3/x/${value}`).toThrow(InvalidInputError);
  });

  it('makes one segment of any text, and it can be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        fc.pre(value !== '.' && value !== '..');
        const { pathname } = new URL(`https://h${apiPath`/x/${value}/y`}`);
        const [, , segment = '', ...rest] = pathname.split('/');
        expect(rest).toEqual(['y']);
        expect(decodeURIComponent(segment)).toBe(value);
        expect(segment).toMatch(/^[A-Za-z0-9\-._~%]*$/);
      }),
    );
  });
});
