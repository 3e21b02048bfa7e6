import { describe, expect, it } from 'vitest';
import { RedirectError } from '../../src/errors.js';
import { followRedirect, redirectTarget } from '../../src/http/redirect.js';
import type { HttpRequest } from '../../src/http/request.js';

const GET: HttpRequest = {
  method: 'GET',
  url: 'https://hs.example/_matrix/client/v3/sync?since=s1',
  accessToken: 'tok',
};
const PUT: HttpRequest = { ...GET, method: 'PUT', body: '{}' };
const WELL_KNOWN: HttpRequest = { ...GET, redirects: 'anywhere', headers: { 'x-key': 'k' } };

describe('redirectTarget', () => {
  it.each([300, 301, 302, 303, 307, 308])('is the Location of a %i', (status) => {
    expect(redirectTarget({ status, headers: { location: '/x' } })).toBe('/x');
  });
  it('is undefined for other answers and without a Location', () => {
    expect(redirectTarget({ status: 201, headers: { location: '/x' } })).toBeUndefined();
    expect(redirectTarget({ status: 304, headers: {} })).toBeUndefined();
  });
});

describe('followRedirect', () => {
  it.each([301, 302, 303, 307, 308])('lets a GET follow %i on its own origin, token and all', (status) => {
    expect(followRedirect(GET, status, '/other?x=1', 0)).toEqual({
      ...GET,
      url: 'https://hs.example/other?x=1',
    });
  });

  it.each([307, 308])('lets a PUT follow %i with its body', (status) => {
    expect(followRedirect(PUT, status, 'https://hs.example:443/other', 2)).toEqual({
      ...PUT,
      url: 'https://hs.example/other',
    });
  });

  it('lets .well-known go anywhere, but leaves token and headers behind', () => {
    expect(followRedirect(WELL_KNOWN, 301, 'https://other.example/wk', 4)).toEqual({
      method: 'GET',
      url: 'https://other.example/wk',
      redirects: 'anywhere',
      headers: undefined,
      accessToken: undefined,
    });
  });

  const refused: [
    name: string,
    request: HttpRequest,
    status: number,
    to: string,
    followed: number,
    says: RegExp,
  ][] = [
    ['another host', GET, 302, 'https://other.example/_matrix/client/v3/sync', 0, /another origin/],
    ['another port', GET, 302, 'https://hs.example:8448/', 0, /another origin/],
    ['plain http', GET, 302, 'http://hs.example/', 0, /another origin/],
    ['a PUT on 302', PUT, 302, '/other', 0, /change the method/],
    ['a PUT on 303', PUT, 303, '/other', 0, /change the method/],
    ['a PUT to another host', PUT, 308, 'https://other.example/', 0, /another origin/],
    ['the fourth', GET, 302, '/x', 3, /one redirect too many/],
    ['the sixth of .well-known', WELL_KNOWN, 302, '/x', 5, /one redirect too many/],
    ['.well-known to plain http', WELL_KNOWN, 302, 'http://other.example/', 0, /plain http/],
    ['no URL at all', GET, 302, 'http://[', 0, /no http or https URL/],
    ['another scheme', WELL_KNOWN, 302, 'file:///etc/passwd', 0, /no http or https URL/],
  ];
  it.each(refused)('refuses %s', (_name, request, status, to, followed, says) => {
    expect(() => followRedirect(request, status, to, followed)).toThrow(RedirectError);
    expect(() => followRedirect(request, status, to, followed)).toThrow(says);
  });

  it('names the new homeserver in the hint, and no secret of its URL', () => {
    const to = 'https://u:pw@new.example/base/_matrix/client/v3/sync?access_token=tok';
    let thrown: unknown;
    try {
      followRedirect(GET, 301, to, 0);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      code: 'redirect',
      location: 'https://new.example/base/_matrix/client/v3/sync',
      hint: expect.stringContaining('--homeserver https://new.example/base') as string,
    });
    expect(String(thrown)).not.toMatch(/pw|tok/);
  });

  it.each(['https://other.example/tok-secret/_matrix/client/v3/sync', 'tok-secret://x', '/tok-secret'])(
    'repeats no token that stands in %s',
    (to) => {
      expect.assertions(1);
      try {
        followRedirect({ ...GET, accessToken: 'tok-secret' }, 302, to, 3);
      } catch (error) {
        const { message, hint, location } = error as RedirectError;
        expect(JSON.stringify([message, hint, location])).not.toContain('tok-secret');
      }
    },
  );
});
