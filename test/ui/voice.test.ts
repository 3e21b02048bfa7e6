import { describe, expect, it } from 'vitest';
import { MatrixError, RateLimitedError, UsageError } from '../../src/errors.js';
import { PLAIN_PALETTE } from '../../src/ui/palette.js';
import { encodeError, errorBody, renderError } from '../../src/ui/voice.js';

const refused = new MatrixError(
  { status: 403, errcode: 'M_FORBIDDEN', method: 'POST', url: 'http://127.0.0.1:1/_matrix/client/v3/login' },
  'the homeserver said: no\u001b[2J',
  { hint: 'check the password' },
);

describe('renderError', () => {
  it('puts the error last and the hint before it', () => {
    expect(
      renderError(new UsageError('no such flag', { hint: 'run mx2s --help' }), PLAIN_PALETTE, false),
    ).toEqual(['hint: run mx2s --help', 'mx2s: no such flag']);
  });

  it('escapes what a server said', () => {
    expect(renderError(refused, PLAIN_PALETTE, false).at(-1)).toBe('mx2s: the homeserver said: no\\u001b[2J');
  });

  it('calls anything unforeseen a bug, and shows its stack only when asked', () => {
    const bug = new TypeError('x is undefined');
    expect(renderError(bug, PLAIN_PALETTE, false)).toEqual([
      'hint: run it again with --verbose and report the stack',
      'mx2s: a bug in mx2s: TypeError: x is undefined',
    ]);
    expect(renderError(bug, PLAIN_PALETTE, true).join('\n')).toContain('voice.test');
  });
});

describe('errorBody', () => {
  it('keeps errcode and status as the server gave them', () => {
    expect(errorBody(refused)).toEqual({
      code: 'refused',
      message: 'the homeserver said: no\u001b[2J',
      hint: 'check the password',
      errcode: 'M_FORBIDDEN',
      http_status: 403,
      retryable: false,
    });
  });

  it('says that a rate limit passes', () => {
    const error = new RateLimitedError(
      { retryAfterMs: 5, status: 429, errcode: 'M_LIMIT_EXCEEDED' },
      'slow down',
    );
    expect(errorBody(error)).toMatchObject({ code: 'rate_limited', retryable: true, http_status: 429 });
  });
});

it('encodes an error as one line that a terminal may be shown', () => {
  const line = encodeError(refused);
  expect(line).not.toContain('\u001b');
  expect(JSON.parse(line)).toEqual({ v: 1, error: errorBody(refused) });
});
