import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { parseHeaderArgument, parseHeaderFile } from '../../src/listen/forward-headers.js';

describe('parseHeaderArgument', () => {
  it.each([
    ['X-Source: mx2s', { name: 'x-source', value: 'mx2s' }],
    ['X-Source:mx2s  ', { name: 'x-source', value: 'mx2s' }],
    ['X-Empty:', { name: 'x-empty', value: '' }],
    ['X-Url: http://a:1/', { name: 'x-url', value: 'http://a:1/' }],
    ['Author: me', { name: 'author', value: 'me' }],
    ['Idempotency-Key: 1', { name: 'idempotency-key', value: '1' }],
    ['@headers.txt', { file: 'headers.txt' }],
  ])('reads %s', (text, expected) => {
    expect(parseHeaderArgument(text)).toEqual(expected);
  });

  it.each([
    'Authorization: Bearer abc',
    'AUTHORIZATION: x',
    'Proxy-Authorization: x',
    'Cookie: a=b',
    'X-Api-Key: x',
    'X-Auth-Token: x',
    'Private-Token: x',
    'X-Hub-Signature: x',
    'X-Secret: x',
    'X-Password: x',
  ])('sends a secret to a file: %s', (text) => {
    expect(() => parseHeaderArgument(text)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('-H @FILE') as unknown }),
    );
  });

  it.each(['X-Source', ': x', 'X Source: x', 'X: a\nY: b', 'X: ä', 'Bearer abc'])('refuses %j', (text) => {
    expect(() => parseHeaderArgument(text)).toThrow(InvalidInputError);
  });

  it.each([
    'Transfer-Encoding: chunked',
    'Upgrade: h2c',
    'Keep-Alive: 5',
    'Connection: close',
    'Content-Length: 1',
    'EXPECT: 100-continue',
    'Host: example.org',
  ])('refuses what belongs to the connection: %s', (text) => {
    const refusal = expect.objectContaining({
      message: expect.stringContaining('connection') as unknown,
    }) as Error;
    expect(() => parseHeaderArgument(text)).toThrow(refusal);
    expect(() => parseHeaderFile(text, 'headers.txt')).toThrow(refusal);
  });

  it('does not repeat what it cannot read: it may be a secret', () => {
    expect(() => parseHeaderArgument('Authorization Bearer geheim')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('geheim') as unknown }),
    );
  });
});

describe('parseHeaderFile', () => {
  it('reads a header a line', () => {
    const text = '# for the test\nAuthorization: Bearer abc\r\n\nX-A: 1\n';
    expect(parseHeaderFile(text, 'h')).toEqual({ authorization: 'Bearer abc', 'x-a': '1' });
  });

  it('names the line that is none, and does not repeat it', () => {
    expect(() => parseHeaderFile('X-A: 1\ngeheim\n', 'headers.txt')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/line 2 of headers\.txt(?!.*geheim)/) as unknown,
      }),
    );
  });
});
