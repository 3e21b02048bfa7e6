import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKind, isWithinReach, type AddressKind } from '../../src/federation/address.js';
import { readVectorFile } from '../wire/vector-file.js';

const vectors = readVectorFile<string, { kind: AddressKind }>('federation/addresses.json', {
  expect: ['kind'],
});

describe('addressKind', () => {
  it.each(vectors.cases)('$name: $why', ({ input, expect: { kind } }) => {
    expect(addressKind(input)).toBe(kind);
  });

  it('sees through an IPv4-mapped address, however it is written', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ipv4) => {
        const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
        const hex = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
        for (const mapped of [`::ffff:${ipv4}`, `::ffff:${hex}`, `0:0:0:0:0:ffff:${hex}`]) {
          expect(addressKind(mapped)).toBe(addressKind(ipv4));
        }
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV6()), (text) => {
        expect(['public', 'loopback', 'reserved']).toContain(addressKind(text));
      }),
    );
  });
});

it.each([
  ['8.8.8.8', ['public', 'loopback', 'any']],
  ['127.0.0.1', ['loopback', 'any']],
  ['::1', ['loopback', 'any']],
  ['10.0.0.1', ['any']],
])('%s is within reach of %j', (address, wanted) => {
  const reaches = (['public', 'loopback', 'any'] as const).filter((reach) => isWithinReach(address, reach));
  expect(reaches).toEqual(wanted);
});
