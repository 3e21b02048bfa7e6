import { describe, expect, it } from 'vitest';
import { matrixErrorOf, type RefusedCall } from '../../src/client/error-answer.js';
import { exitCodeOf } from '../../src/exit-codes.js';

const URL_ASKED = 'https://hs.example/_matrix/client/v3/x?since=1';
const CALL: RefusedCall = {
  method: 'PUT',
  accessToken: 'tok-secret',
  body: '{"password":"pw-secret","x":"public"}',
};

function errorFor(status: number, body: string | object) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return matrixErrorOf(CALL, {
    status,
    headers: {},
    body: text,
    url: URL_ASKED,
    attempts: 1,
    elapsedMs: 1,
  });
}

describe('matrixErrorOf', () => {
  it('keeps status, errcode, method and URL, and the words of the server', () => {
    const error = errorFor(403, { errcode: 'M_FORBIDDEN', error: 'Invalid username or password' });
    expect(error).toMatchObject({
      code: 'refused',
      status: 403,
      errcode: 'M_FORBIDDEN',
      method: 'PUT',
      url: 'https://hs.example/_matrix/client/v3/x',
      message:
        'PUT https://hs.example/_matrix/client/v3/x was answered 403 M_FORBIDDEN: Invalid username or password',
      retryable: false,
    });
  });

  const hints: [status: number, body: string | object, exit: number, hint: RegExp][] = [
    [401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true }, 4, /mx2s login again, it keeps the device/],
    [401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: false }, 4, /run mx2s login/],
    [401, { errcode: 'M_MISSING_TOKEN' }, 4, /run mx2s login/],
    [401, '<html>', 4, /run mx2s login/],
    [401, {}, 4, /run mx2s login/],
    [401, { errcode: 'M_USER_LOCKED', soft_logout: true }, 1, /locked/],
    [403, { errcode: 'M_USER_SUSPENDED' }, 1, /suspended/],
    [403, { errcode: 'M_USER_DEACTIVATED' }, 1, /no more/],
    [403, { errcode: 'M_RESOURCE_LIMIT_EXCEEDED', admin_contact: 'mailto:a@b' }, 1, /mailto:a@b/],
    [403, { errcode: 'M_RESOURCE_LIMIT_EXCEEDED' }, 1, /administrator$/],
    [403, { errcode: 'M_USER_LIMIT_EXCEEDED', info_uri: 'https://i.example' }, 1, /https:\/\/i\.example/],
    [403, { errcode: 'M_CONSENT_NOT_GIVEN', consent_uri: 'https://c.example' }, 1, /https:\/\/c\.example/],
    [413, { errcode: 'M_TOO_LARGE' }, 1, /less/],
    [429, { errcode: 'M_LIMIT_EXCEEDED' }, 1, /later/],
    [404, { errcode: 'M_UNRECOGNIZED' }, 1, /does not know this endpoint/],
    [404, { errcode: 'M_NOT_FOUND' }, 1, /--trace/],
    [403, { errcode: 'M_FORBIDDEN' }, 1, /does not let this account/],
    [404, 'No such resource', 1, /is this a Matrix homeserver/],
    [403, '<html>', 1, /--trace/],
    [400, { errcode: 'M_BAD_JSON' }, 1, /--trace/],
    [500, { errcode: 'M_UNKNOWN' }, 5, /later/],
    [502, '<html><head><title>502 Bad Gateway</title></head>', 5, /proxy/],
    [503, '', 5, /proxy/],
  ];
  it.each(hints)('%i %j exits with %i and hints %s', (status, body, exit, hint) => {
    const error = errorFor(status, body);
    expect(exitCodeOf(error)).toBe(exit);
    expect(error.hint).toMatch(hint);
  });

  const words: [name: string, body: string | object, end: string][] = [
    ['plain text', 'No such resource', ': No such resource'],
    ['the title of a page', '<html><head>\n<title>502\n Bad Gateway</title>…', ': 502 Bad Gateway'],
    ['a message', { message: 'Missing "Authorization" header' }, ': Missing "Authorization" header'],
    ["Dendrite's empty error as it stands", { Err: '' }, ': {"Err":""}'],
    ['nothing', '', ' was answered 500'],
    ['much, shortened', 'x'.repeat(5000), `${'x'.repeat(500)}…`],
    ['many lines, on one', { error: 'a\n  b' }, ': a b'],
  ];
  it.each(words)('repeats %s', (_name, body, end) => {
    expect(errorFor(500, body).message.endsWith(end)).toBe(true);
  });

  it('takes no long time for a page that a stranger made long', () => {
    expect(errorFor(500, '<title'.repeat(160_000)).message).toMatch(/: <title<title.*…$/);
  });

  it('strikes out what the server repeats of our secrets', () => {
    const echo = `bad token tok-secret for pw-secret and public ${'x'.repeat(430)} tok-secret`;
    for (const body of [echo, { errcode: 'M_UNKNOWN_TOKEN', error: echo }]) {
      expect(errorFor(401, body).message).toMatch(/bad token \*\*\* for \*\*\* and public/);
      expect(errorFor(401, body).message).not.toMatch(/tok-|pw-/);
    }
  });

  it.each([
    { errcode: 'tok-secret', error: 'x' },
    { errcode: 'M_RESOURCE_LIMIT_EXCEEDED', admin_contact: 'mailto:tok-secret@b' },
    { errcode: 'M_USER_LIMIT_EXCEEDED', info_uri: 'https://i.example/tok-secret' },
    { errcode: 'M_CONSENT_NOT_GIVEN', consent_uri: 'https://c.example/?x=pw-secret' },
  ])('strikes them out of %j, too', (body) => {
    const { message, hint, errcode } = errorFor(403, body);
    expect(JSON.stringify([message, hint, errcode])).not.toMatch(/tok-|pw-/);
    expect(JSON.stringify([message, hint, errcode])).toContain('***');
  });
});
