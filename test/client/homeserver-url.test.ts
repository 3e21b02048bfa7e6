import { describe, expect, it } from 'vitest';
import { parseHomeserverUrl } from '../../src/client/homeserver-url.js';
import { InvalidInputError } from '../../src/errors.js';

describe('parseHomeserverUrl', () => {
  it.each([
    ['https://hs.example', 'https://hs.example'],
    ['https://hs.example/', 'https://hs.example'],
    ['https://hs.example/base/path//', 'https://hs.example/base/path'],
    ['HTTPS://HS.example:443', 'https://hs.example'],
    ['http://127.0.0.1:8008', 'http://127.0.0.1:8008'],
    ['http://hs.example', 'http://hs.example'],
    ['http://[::1]:8008/', 'http://[::1]:8008'],
    [' https://hs.example\n', 'https://hs.example'],
    ['https://hs.example/a%20b', 'https://hs.example/a%20b'],
  ])('%j is %s', (text, url) => {
    expect(parseHomeserverUrl(text)).toBe(url);
  });

  it('takes no long time for one that a stranger made long', () => {
    const url = `https://hs.example${'/'.repeat(500_000)}x`;
    expect(parseHomeserverUrl(`${url}//`)).toBe(url);
  });

  it.each([
    '',
    'hs.example',
    '@alice:hs.example',
    'hs.example:8448',
    'ftp://hs.example',
    'https://',
    'https://u@hs.example',
    'https://u:pass@hs.example',
    'https://hs.example?x=pass',
    'https://hs.example/#pass',
  ])('%j is refused', (text) => {
    expect(() => parseHomeserverUrl(text)).toThrow(InvalidInputError);
  });

  it.each([
    'https://u:hunter2@hs.example',
    'https://u:hunter2@[',
    'ftp://u:hunter2@hs.example',
    'htp://u:hunter2/x@hs.example',
    'u:hunter2@hs.example',
  ])('does not show the password of %s', (text) => {
    expect(() => parseHomeserverUrl(text)).toThrow(/^(?!.*hunter2)/);
  });
});
