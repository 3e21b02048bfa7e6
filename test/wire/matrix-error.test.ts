import { describe, expect, it } from 'vitest';
import { parseMatrixError, type MatrixErrorBody } from '../../src/wire/matrix-error.js';

describe('parseMatrixError', () => {
  const cases: [name: string, body: string, read: MatrixErrorBody][] = [
    ['the standard form', '{"errcode":"M_FORBIDDEN","error":"no"}', { errcode: 'M_FORBIDDEN', error: 'no' }],
    [
      'a rate limit',
      '{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":292021}',
      { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retryAfterMs: 292_021 },
    ],
    ['a fraction of a millisecond, rounded up', '{"retry_after_ms":1.5}', { retryAfterMs: 2 }],
    ['a wait below zero', '{"retry_after_ms":-1}', {}],
    ['a wait without end', '{"retry_after_ms":1e999}', {}],
    ['a wait as text', '{"retry_after_ms":"5"}', {}],
    [
      'a soft logout',
      '{"errcode":"M_UNKNOWN_TOKEN","soft_logout":true}',
      { errcode: 'M_UNKNOWN_TOKEN', softLogout: true },
    ],
    [
      'whom to ask',
      '{"admin_contact":"mailto:a@b","info_uri":"https://i","consent_uri":"https://c"}',
      { adminContact: 'mailto:a@b', infoUri: 'https://i', consentUri: 'https://c' },
    ],
    ['a code of the server itself', '{"errcode":"ORG_EXAMPLE_X"}', { errcode: 'ORG_EXAMPLE_X' }],
    ["Dendrite's empty error", '{"Err":""}', {}],
    ['a message without a code', '{"message":"Missing header"}', { error: 'Missing header' }],
    ['error before message', '{"message":"b","error":"a"}', { error: 'a' }],
    ['an empty error before a message', '{"message":"b","error":""}', { error: 'b' }],
    ['members of other types', '{"errcode":1,"error":{},"soft_logout":"yes"}', {}],
    ['an empty code', '{"errcode":""}', {}],
    ['a page', '<html><title>502 Bad Gateway</title></html>', {}],
    ['plain text', 'not found', {}],
    ['nothing', '', {}],
    ['a list', '[{"errcode":"M_FORBIDDEN"}]', {}],
    ['JSON cut short', '{"errcode":"M_FORB', {}],
    ['nesting without end', '['.repeat(100_000), {}],
  ];

  it.each(cases)('reads %s', (_name, body, read) => {
    // toEqual takes an undefined member for an absent one
    expect(parseMatrixError(body)).toEqual(read);
  });
});
