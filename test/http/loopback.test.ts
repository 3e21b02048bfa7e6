import { describe, expect, it } from 'vitest';
import { isLoopbackHost } from '../../src/http/loopback.js';

describe('isLoopbackHost', () => {
  it.each([
    'http://127.0.0.1',
    'http://127.255.0.9:8008',
    'http://[::1]:1',
    'http://[::ffff:127.0.0.1]',
    'http://localhost',
    'http://LOCALHOST:8008',
    'http://hs.localhost',
    'http://localhost.',
    'http://2130706433', // 127.0.0.1 as a URL may write it
  ])('is true of %s', (url) => {
    expect(isLoopbackHost(new URL(url).hostname)).toBe(true);
  });

  it.each([
    'http://128.0.0.1',
    'http://127.0.0.1.example.org',
    'http://notlocalhost',
    'http://localhost.example.org',
    'http://[::2]',
    'http://[::ffff:10.0.0.1]',
    'http://10.0.0.1',
  ])('is false of %s', (url) => {
    expect(isLoopbackHost(new URL(url).hostname)).toBe(false);
  });
});
