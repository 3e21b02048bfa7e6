import { describe, expect, it } from 'vitest';
import { encodeRequestHead } from '../../src/http/request-head.js';

describe('the head of a request', () => {
  it('is a line, the headers and an empty line', () => {
    expect(
      encodeRequestHead({ method: 'GET', target: '/a?b', headers: { host: 'x.y', accept: '*/*' } }),
    ).toBe('GET /a?b HTTP/1.1\r\nhost: x.y\r\naccept: */*\r\n\r\n');
  });

  it.each(['/a b', '/a\r\nx: y', '/\u00e9', ''])('has no target like %j', (target) => {
    expect(() => encodeRequestHead({ method: 'GET', target, headers: {} })).toThrow(TypeError);
  });

  it.each([
    ['x', 'a\r\ny: b'],
    ['x', 'a\nb'],
    ['x', 'a\0'],
    ['x', '\u20ac'],
    ['x y', 'a'],
    ['x:', 'a'],
    ['', 'a'],
  ])('has no header %j with %j, and the error does not show it', (name, value) => {
    const encode = () => encodeRequestHead({ method: 'GET', target: '/', headers: { [name]: value } });
    expect(encode).toThrow(new TypeError(`the header ${name} is none`));
  });
});
