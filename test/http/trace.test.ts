import { describe, expect, it } from 'vitest';
import { openTrace, secretsIn, strikeSecrets } from '../../src/http/trace.js';
import type { Answer, HttpRequest } from '../../src/http/request.js';

const GET: HttpRequest = { method: 'GET', url: 'https://hs.example/x' };
const ANSWER: Answer = { status: 200, headers: {}, body: '', url: GET.url };

/** What a log shows of one exchange. */
function logOf(request: Partial<HttpRequest>, headers = {}, answer?: Partial<Answer>): string {
  const lines: string[] = [];
  const trace = openTrace((line) => lines.push(line));
  trace.request({ ...GET, ...request }, headers);
  if (answer) trace.answer({ ...ANSWER, ...answer });
  return lines.join('\n');
}

describe('the wire log', () => {
  it('shows what went out and what came in', () => {
    const lines: string[] = [];
    const trace = openTrace((line) => lines.push(line));
    trace.request({ ...GET, method: 'PUT', body: '{"a":1}' }, { accept: 'application/json' });
    trace.answer({ ...ANSWER, headers: { 'content-type': 'text/plain' }, body: 'one\ntwo' });
    trace.failure(new Error('cut off'));
    expect(lines).toEqual([
      '> PUT https://hs.example/x',
      '> accept: application/json',
      '> {"a":1}',
      '< 200',
      '< content-type: text/plain',
      '< one',
      '< two',
      '* cut off',
    ]);
  });

  const SECRET = 'sEcReT/+=7';
  const hidden: [name: string, log: string][] = [
    ['the access token', logOf({}, { authorization: `Bearer ${SECRET}` })],
    ['other authorization', logOf({}, { authorization: `Basic ${SECRET}`, 'proxy-authorization': SECRET })],
    ["a header of the user's", logOf({}, { 'x-api-key': SECRET })],
    ['a cookie', logOf({}, {}, { headers: { 'set-cookie': SECRET }, body: '' })],
    [
      'a parameter in the URL',
      logOf({ url: `https://hs.example/x?a=1&access_token=${encodeURIComponent(SECRET)}` }),
    ],
    [
      'a parameter in a Location',
      logOf({}, {}, { headers: { location: `/y?login_token=${SECRET}#x` }, body: '' }),
    ],
    ...[
      'access_token',
      'refresh_token',
      'password',
      'new_password',
      'token',
      'login_token',
      'loginToken',
      'as_token',
      'hs_token',
      'id_token',
      'Access_Token',
    ].flatMap((name): [string, string][] => [
      [`a member ${name} that is sent`, logOf({ body: JSON.stringify({ a: [{ b: { [name]: SECRET } }] }) })],
      [`a member ${name} that comes`, logOf({}, {}, { body: JSON.stringify({ [name]: SECRET }) })],
    ]),
    ['a member whose name is escaped', logOf({ body: `{"access\\u005ftoken":"${SECRET}"}` })],
    ['a member whose value is no string', logOf({ body: `{"password":{"x":["${SECRET}"]}}` })],
    ['a member in JSON cut short', logOf({}, {}, { body: `{"x":{"access_token" : "${SECRET}` })],
    [
      'a member below any depth',
      logOf({}, {}, { body: `${'['.repeat(500)}{"password":"${SECRET}"}${']'.repeat(500)}` }),
    ],
    [
      'a member in a body too long to read',
      logOf({}, {}, { body: `{"password":"${SECRET}","x":"${'x'.repeat(2 ** 20)}"}` }),
    ],
    ['a form', logOf({ body: `grant_type=x&refresh_token=${SECRET}&a=b` })],
    [
      'the token repeated by the server',
      logOf({}, { authorization: `Bearer ${SECRET}` }, { body: `bad token ${SECRET}` }),
    ],
    [
      "a header of the user's, repeated by the server",
      logOf({}, { 'x-api-key': SECRET }, { body: `you said ${SECRET}` }),
    ],
    [
      "credentials of the user's, repeated by the server",
      logOf({}, { authorization: `Basic ${SECRET}` }, { body: `you said ${SECRET}` }),
    ],
    [
      'the password repeated by the server',
      logOf({ body: JSON.stringify({ password: SECRET }) }, {}, { body: `<p>${SECRET}</p>` }),
    ],
    [
      'a token that the cut goes through',
      logOf({}, { authorization: `Bearer ${SECRET}` }, { body: `${'x'.repeat(4090)} ${SECRET}` }),
    ],
    [
      'the token in a path, percent-encoded',
      logOf(
        { url: `https://hs.example/${encodeURIComponent(SECRET)}` },
        { authorization: `Bearer ${SECRET}` },
      ),
    ],
  ];
  it.each(hidden)('strikes out %s', (_name, log) => {
    expect(log).toContain('***');
    expect(log).not.toContain(SECRET.slice(0, 4));
  });

  it('remembers a secret over exchanges, as a login is followed by other calls', () => {
    const lines: string[] = [];
    const trace = openTrace((line) => lines.push(line));
    trace.request(GET, {});
    trace.answer({ ...ANSWER, body: JSON.stringify({ access_token: SECRET }) });
    trace.request({ ...GET, url: `https://hs.example/${SECRET}` }, {});
    trace.failure(new Error(`no ${SECRET}`));
    expect(lines.join('\n')).not.toContain(SECRET);
  });

  it('leaves the rest of the text alone', () => {
    expect(logOf({ body: '{"type":"m.x","n":12345678901234567890,"tokens":"yes","token":"no"}' })).toContain(
      '{"type":"m.x","n":12345678901234567890,"tokens":"yes","token":"***"}',
    );
    expect(logOf({ url: 'https://hs.example/x?since=s1&token=abc&timeout=0' })).toContain(
      'https://hs.example/x?since=s1&token=***&timeout=0',
    );
  });

  it('cuts long bodies and says so', () => {
    const log = logOf({}, {}, { body: JSON.stringify({ x: 'y'.repeat(10_000) }) });
    expect(log.length).toBeLessThan(5000);
    expect(log).toContain('… (10008 characters in all)');
  });
});

describe('strikeSecrets', () => {
  it('leaves very short secrets, which would tear up the text', () => {
    expect(strikeSecrets('a cat', ['a', ''])).toBe('a cat');
  });
  it('strikes the longer of two whole, where one begins the other', () => {
    expect(strikeSecrets('a token-1 and a token-12', ['token-1', 'token-12'])).toBe('a *** and a ***');
  });
  it('finds a secret as JSON writes it', () => {
    expect(strikeSecrets(JSON.stringify({ x: 'pass"word\n' }), ['pass"word\n'])).toBe('{"x":"***"}');
  });
  it('takes half a surrogate pair for a secret', () => {
    expect(strikeSecrets('abc\ud800', ['abc\ud800'])).toBe('***');
  });
});

describe('secretsIn', () => {
  it('gives the values of secret members at any depth', () => {
    expect(secretsIn('{"password":"p","a":[{"refresh_token":"r","x":"y"}]}')).toEqual(['p', 'r']);
    expect(secretsIn('no JSON')).toEqual([]);
  });
});
