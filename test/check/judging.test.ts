import { describe, expect, it } from 'vitest';
import { answered, cut, isTokenRefused, refusalOf } from '../../src/check/judging.js';
import { MatrixError, NetworkError } from '../../src/errors.js';

const REQUEST = { method: 'GET', url: 'http://hs.test/x' };

function error(status: number, errcode?: string, authenticated = true): MatrixError {
  return new MatrixError({ ...REQUEST, status, errcode, authenticated }, 'no');
}

describe('an error', () => {
  it.each([
    ['a refusal', error(400, 'M_BAD_JSON')],
    ['a refusal without a code', error(404)],
    ['a demand for a token where none was sent', error(401, 'M_MISSING_TOKEN', false)],
  ])('is an answer if it is %s', (_name, each) => {
    expect(refusalOf(each)).toBe(each);
    expect(isTokenRefused(each)).toBe(false);
  });

  it.each([
    ['a refused token', error(401, 'M_UNKNOWN_TOKEN'), true],
    ['a failure of the server', error(500, 'M_UNKNOWN'), false],
    ['no answer', new NetworkError(REQUEST, 'cut off'), false],
    ['a bug', new TypeError('x'), false],
  ])('is thrown on if it is %s', (_name, each, isRefused) => {
    expect(() => refusalOf(each)).toThrow(each);
    expect(isTokenRefused(each)).toBe(isRefused);
  });
});

describe('the words for an answer', () => {
  it('are its status and its code', () => {
    expect(answered(error(400, 'M_BAD_JSON'))).toBe('answered 400 M_BAD_JSON');
    expect(answered(error(502))).toBe('answered 502');
  });

  it('hold no more text of a server than a line can bear', () => {
    expect(cut('x'.repeat(200))).toHaveLength(200);
    expect(cut('x'.repeat(201))).toBe(`${'x'.repeat(200)}…`);
  });
});
