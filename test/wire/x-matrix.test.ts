import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/wire/json.js';
import { encodeXMatrix, parseXMatrix, requestSigningText } from '../../src/wire/x-matrix.js';
import { readVectorFile } from './vector-file.js';

interface Header {
  readonly origin: string;
  readonly destination?: string;
  readonly key: string;
  readonly sig: string;
}

const vectors = readVectorFile<string, Header | 'none'>('wire/x-matrix/headers.json', {
  expect: ['origin', 'destination', 'key', 'sig'],
  words: ['none'],
});

describe('parseXMatrix', () => {
  it.each(vectors.cases)('$name: $why', ({ input, expect: expected }) => {
    const parsed = parseXMatrix(input);
    if (typeof expected === 'string') {
      expect(parsed).toBeUndefined();
    } else {
      expect(parsed).toEqual({
        origin: expected.origin,
        destination: expected.destination,
        keyId: expected.key,
        signature: expected.sig,
      });
    }
  });

  it.each([' \t,', '\t', 'a', ',', '"', '\\'])('takes no more time for a hostile header: %j', (piece) => {
    expect(parseXMatrix(`X-Matrix ${piece.repeat(100_000)}"`)).toBeUndefined();
    expect(parseXMatrix(`X-Matrix a="${piece.repeat(100_000)}`)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseXMatrix(`X-Matrix ${text}`);
      }),
    );
  });

  it('reads what is written', () => {
    const header = { origin: 'a:1', destination: '[::1]:8448', keyId: 'ed25519:a_1', signature: 'Zg+/' };
    expect(parseXMatrix(encodeXMatrix(header))).toEqual(header);
  });
});

describe('requestSigningText', () => {
  const request = { method: 'GET', uri: '/_matrix/x?y=%20', origin: 'a', destination: 'b' };

  it('leaves out the content when there is none', () => {
    expect(requestSigningText({ ...request, content: undefined })).toBe(
      '{"destination":"b","method":"GET","origin":"a","uri":"/_matrix/x?y=%20"}',
    );
  });

  it('covers the content', () => {
    expect(requestSigningText({ ...request, content: parseJson('{"b":1, "a":[]}') })).toBe(
      '{"content":{"a":[],"b":1},"destination":"b","method":"GET","origin":"a","uri":"/_matrix/x?y=%20"}',
    );
  });
});
