import { describe, expect, it } from 'vitest';
import { jsonTextOf, parseJson } from '../../src/wire/json.js';
import { countFault, encodeTransaction, parseTransaction } from '../../src/wire/transaction.js';

const good = { origin: 'a', origin_server_ts: 1000, pdus: [], edus: [{ edu_type: 'x', content: {} }] };

function parse(body: unknown) {
  return parseTransaction(parseJson(JSON.stringify(body)));
}

describe('parseTransaction', () => {
  it('reads what is written', () => {
    const text = encodeTransaction({
      origin: 'a',
      originServerTsMs: 1000,
      edus: [jsonTextOf({ edu_type: 'x' })],
    });
    expect(JSON.parse(text)).toEqual({ ...good, edus: [{ edu_type: 'x' }] });
    expect(parseTransaction(parseJson(text))).toMatchObject({
      origin: 'a',
      originServerTsMs: 1000,
      pdus: [],
    });
  });

  it('takes a body without edus', () => {
    expect(parse({ ...good, edus: undefined })).toMatchObject({ edus: [] });
  });

  it.each([
    ['a list', []],
    ['no origin', { ...good, origin: undefined }],
    ['no timestamp', { ...good, origin_server_ts: '1' }],
    ['no pdus', { ...good, pdus: undefined }],
    ['edus that are an object', { ...good, edus: {} }],
    ['a timestamp that is no integer', { ...good, origin_server_ts: 1.5 }],
  ])('refuses %s', (_what, body) => {
    expect(parse(body)).toHaveProperty('fault');
  });
});

describe('countFault', () => {
  it.each([
    [50, 100, undefined],
    [51, 0, { fault: 'more than 50 PDUs' }],
    [0, 101, { fault: 'more than 100 EDUs' }],
  ])('%i PDUs and %i EDUs', (pdus, edus, fault) => {
    const many = parse({ ...good, pdus: Array(pdus).fill({}), edus: Array(edus).fill({}) });
    if ('fault' in many) throw new Error(many.fault);
    expect(countFault(many)).toEqual(fault);
  });
});
