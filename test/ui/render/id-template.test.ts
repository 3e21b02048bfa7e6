import { describe, expect, it } from 'vitest';
import { IdTemplate } from '../../../src/ui/render/id-template.js';
import type { IdResult } from '../../../src/ui/render/validate-id.js';

const RESULT: IdResult = {
  v: 1,
  id: '@a:b',
  kind: 'user',
  valid: true,
  is_server: false,
  localpart: 'a',
  server_name: 'b',
  warnings: ['W_UPPERCASE'],
  grammars: {
    strict: { valid: true },
    historical: { valid: true, compliant: true },
    msc4246: { valid: true },
  },
};

describe('IdTemplate', () => {
  it.each([
    ['@alice:example.org:8448', 'alice', 'example.org:8448'],
    ['@:example.org', '', 'example.org'],
    ['@a:', 'a', ''],
    ['@é€🐈:[::1]', 'é€🐈', '[::1]'],
  ])('fills in %s', (id, localpart, server_name) => {
    expect(filledIn(new IdTemplate(RESULT), id)).toBe(
      `${JSON.stringify({ ...RESULT, id, localpart, server_name })}\n`,
    );
  });

  it('fills in an ID without parts', () => {
    const refusal: IdResult = {
      ...RESULT,
      id: '',
      valid: false,
      localpart: null,
      server_name: null,
      code: 'E_SIGIL',
      reason: 'a user ID starts with "@"',
    };
    const template = new IdTemplate(refusal);
    for (const id of ['', 'alice:example.org', ':']) {
      expect(filledIn(template, id)).toBe(`${JSON.stringify({ ...refusal, id })}\n`);
    }
  });

  it('needs room for the whole line', () => {
    const template = new IdTemplate(RESULT);
    const id = encode('@alice:b\n');
    const whole = filledIn(template, '@alice:b').length;
    expect(template.fill(new Uint8Array(whole + 10), 10, id, 0, 8)).toBeUndefined(); // it counts the ID twice
    expect(template.fill(new Uint8Array(whole + 12), 10, id, 0, 8)).toBe(whole + 10);
  });
});

/** The line, with something before and behind the ID that is not part of it. */
function filledIn(template: IdTemplate, id: string): string {
  const block = encode(`@x:y\n${id}\n`);
  const page = new Uint8Array(2000);
  page.set(encode('before'));
  const end = template.fill(page, 6, block, 5, block.length - 1);
  const text = new TextDecoder().decode(page.subarray(0, end));
  expect(text.slice(0, 6)).toBe('before');
  return text.slice(6);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
