import { describe, expect, it } from 'vitest';
import { fillTemplate } from '../../src/todevice/template.js';
import { encodeJson, parseJson } from '../../src/wire/json.js';

describe('fillTemplate', () => {
  const values = { txn_id: 't-1', device_id: 'A"B\\' };
  it.each([
    ['{"nonce":"{{txn_id}}"}', '{"nonce":"t-1"}'],
    ['{"a":["x-{{txn_id}}-{{device_id}}"]}', '{"a":["x-t-1-A\\"B\\\\"]}'],
    ['{"{{txn_id}}":true}', '{"t-1":true}'],
    ['{"a":"{{other}} {{ txn_id }} {txn_id}"}', '{"a":"{{other}} {{ txn_id }} {txn_id}"}'],
    ['{"a":"{{constructor}}"}', '{"a":"{{constructor}}"}'],
    ['{"n":9007199254740993,"b":[null,false]}', '{"n":9007199254740993,"b":[null,false]}'],
  ])('%s becomes %s', (template, expected) => {
    expect(encodeJson(fillTemplate(parseJson(template), values))).toBe(expected);
  });

  it('does not fill what a value brought in', () => {
    const filled = fillTemplate(parseJson('"{{a}}"'), { a: '{{b}}', b: 'x' });
    expect(encodeJson(filled)).toBe('"{{b}}"');
  });
});
