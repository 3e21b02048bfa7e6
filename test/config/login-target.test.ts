import { describe, expect, it } from 'vitest';
import { mergeLoginWords, type LoginWords } from '../../src/config/login-target.js';
import { InvalidInputError, UsageError } from '../../src/errors.js';

function merge(words: Partial<LoginWords>): ReturnType<typeof mergeLoginWords> {
  return mergeLoginWords({ target: undefined, homeserver: undefined, user: undefined, ...words });
}

describe('mergeLoginWords', () => {
  const byName = { serverName: 'example.org' };
  const byUrl = { url: 'https://matrix.example.org/base' };
  const URL = 'https://matrix.example.org/base/';

  it.each([
    [{}, undefined, undefined],
    [{ target: 'example.org' }, byName, undefined],
    [{ target: 'localhost:8008' }, { serverName: 'localhost:8008' }, undefined],
    [{ target: URL }, byUrl, undefined],
    [{ target: '@alice:example.org' }, byName, '@alice:example.org'],
    [{ target: '@Alice Ü:example.org' }, byName, '@Alice Ü:example.org'],
    [{ user: 'alice' }, undefined, 'alice'],
    [{ user: '@alice:example.org' }, byName, '@alice:example.org'],
    [{ target: 'example.org', user: 'alice' }, byName, 'alice'],
    [{ target: URL, user: '@alice:example.org' }, byUrl, '@alice:example.org'],
    [
      { target: 'example.com', user: '@alice:example.org' },
      { serverName: 'example.com' },
      '@alice:example.org',
    ],
    [{ homeserver: URL }, byUrl, undefined],
    [{ homeserver: URL, user: 'alice' }, byUrl, 'alice'],
    [{ homeserver: URL, user: '@alice:example.org' }, byUrl, '@alice:example.org'],
    [{ homeserver: URL, target: '@alice:example.org' }, byUrl, '@alice:example.org'],
  ])('reads %j', (words, place, user) => {
    expect(merge(words)).toEqual({ place, user });
  });

  it.each([
    { target: 'example.org', homeserver: URL },
    { target: URL, homeserver: URL },
    { target: '@alice:example.org', user: 'bob' },
    { target: '@alice:example.org', user: '@alice:example.org' },
  ])('refuses what is said twice: %j', (words) => {
    expect(() => merge(words)).toThrow(UsageError);
  });

  it.each([
    { target: '' },
    { target: 'exa mple' },
    { target: '@alice' },
    { target: 'ftp://example.org' },
    { target: 'https://alice:geheim@example.org' },
    { user: '@alice' },
    { homeserver: 'example.org' },
  ])('refuses what is neither: %j', (words) => {
    expect(() => merge(words)).toThrow(InvalidInputError);
    expect(() => merge(words)).not.toThrow('geheim');
  });
});
