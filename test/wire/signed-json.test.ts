import { describe, expect, it } from 'vitest';
import { CanonicalJsonError } from '../../src/wire/canonical-json.js';
import { encodeJson, parseJson, type JsonObject } from '../../src/wire/json.js';
import { signaturesOf, signedText, withSignature } from '../../src/wire/signed-json.js';

const one = { entity: 'one', keyId: 'ed25519:1', signature: 'x' };
const two = { entity: 'two', keyId: 'ed25519:2', signature: 'y' };

describe('signedText', () => {
  it('leaves out signatures and unsigned, at the top only', () => {
    const object = objectOf('{"unsigned":{"a":1},"b":{"unsigned":1,"signatures":2},"signatures":{}}');
    expect(signedText(object)).toBe('{"b":{"signatures":2,"unsigned":1}}');
  });

  it('is not for what has no canonical form', () => {
    expect(() => signedText(objectOf('{"a":1.5}'))).toThrow(CanonicalJsonError);
    expect(() => signedText(objectOf('{"a":1,"a":1}'))).toThrow(CanonicalJsonError);
    expect(signedText(objectOf('{"unsigned":1.5}'))).toBe('{}');
  });
});

describe('signatures', () => {
  it('are added to those that are there', () => {
    const twice = withSignature(withSignature(objectOf('{"a":1}'), one), two);
    expect(signaturesOf(twice)).toEqual([one, two]);
    expect(encodeJson(twice)).toBe('{"a":1,"signatures":{"one":{"ed25519:1":"x"},"two":{"ed25519:2":"y"}}}');
  });

  it('replace one of the same key', () => {
    const again = withSignature(withSignature(objectOf('{}'), one), { ...one, signature: 'z' });
    expect(signaturesOf(again)).toEqual([{ ...one, signature: 'z' }]);
  });

  it('are read where they have the right shape', () => {
    expect(signaturesOf(objectOf('{"signatures":{"a":1,"one":{"ed25519:1":"x","k":2}}}'))).toEqual([one]);
    expect(signaturesOf(objectOf('{"signatures":[]}'))).toEqual([]);
    expect(signaturesOf(parseJson('[]'))).toEqual([]);
  });
});

function objectOf(text: string): JsonObject {
  return parseJson(text) as JsonObject;
}
