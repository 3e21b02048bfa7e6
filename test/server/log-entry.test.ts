import { expect, it } from 'vitest';
import { encodeLogEntry } from '../../src/server/log-entry.js';
import { compactJson } from '../../src/wire/json.js';

const entry = {
  direction: 'in',
  sender: '@a:hs.test',
  to: '@:hs.test',
  device: '',
  type: 'a"b',
  via: 'client',
} as const;

it('is one line, with the content as it came', () => {
  expect(
    encodeLogEntry({ ...entry, outcome: 'handled', content: compactJson('{"n":123456789012345678901}') }),
  ).toBe(
    '{"v":1,"direction":"in","sender":"@a:hs.test","to":"@:hs.test","device":"","type":"a\\"b","via":"client",' +
      '"outcome":"handled","content":{"n":123456789012345678901}}',
  );
});

it('has no content where there is none', () => {
  expect(encodeLogEntry({ ...entry, outcome: 'dropped' })).toMatch(/"outcome":"dropped"}$/);
});
