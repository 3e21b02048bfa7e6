import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIpv4Shape, isIpv6, isIpv6At, isOctets } from '../../src/ids/ip-literal.js';

describe('isIpv6', () => {
  it.each([
    ['eight groups', '1:2:3:4:5:6:7:8'],
    ['a gap alone', '::'],
    ['a gap at either end', '::1'],
    ['a gap at the end', 'fe80::'],
    ['a gap for one group', '1:2:3:4:5:6::8'],
    ['upper case', '2001:DB8::A'],
    ['an IPv4 address last', '::ffff:1.2.3.4'],
    ['six groups and an IPv4 address', '1:2:3:4:5:6:1.2.3.4'],
  ])('takes %s', (_name, text) => {
    expect(isIpv6(text)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['seven groups', '1:2:3:4:5:6:7'],
    ['nine groups', '1:2:3:4:5:6:7:8:9'],
    ['a gap for none', '1:2:3:4::5:6:7:8'],
    ['two gaps', '1::2::3'],
    ['three colons', ':::'],
    ['an address that never ends last', `::1.${'1'.repeat(300_000)}`],
    ['one colon first', ':1:2:3:4:5:6:7'],
    ['one colon last', '1:2:3:4:5:6:7:'],
    ['five digits', '::12345'],
    ['another letter', '::g'],
    ['an IPv4 address alone', '1.2.3.4'],
    ['an IPv4 address first', '1.2.3.4::'],
    ['an IPv4 address with a number too high', '::1.2.3.256'],
    ['an IPv4 address cut short', '::1.2.3'],
    ['a zone', 'fe80::1%eth0'],
    ['text that is not ASCII', '::１'],
  ])('refuses %s', (_name, text) => {
    expect(isIpv6(text)).toBe(false);
  });

  it('finds what taking the text apart finds', () => {
    const piece = fc.constantFrom(':', '::', '1', '0f', 'FFFF', '12345', 'g', '.', '1.2.3.4', '1.2.3.256');
    const near = fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.oneof(near, fc.ipV6()), (text) => {
        expect(isIpv6(text)).toBe(isIpv6ByParts(text));
      }),
      { seed: 4246, numRuns: 5000 },
    );
  });
});

it('isIpv6At looks at a part of the bytes only', () => {
  const bytes = new TextEncoder().encode('1:::2:');
  expect(isIpv6At(bytes, 2, 5)).toBe(true); // ::2
  expect(isIpv6At(bytes, 0, 3)).toBe(true); // 1::
  expect(isIpv6At(bytes, 0, 6)).toBe(false);
});

/** The slow twin, with texts and lists. */
function isIpv6ByParts(text: string): boolean {
  const sides = text.split('::');
  if (sides.length > 2) return false;
  const counts = sides.map((side, index) => countGroups(side, index === sides.length - 1));
  const groups = counts.reduce((sum, count) => sum + count, 0);
  return sides.length === 2 ? groups <= 7 : groups === 8;
}

/** NaN, which fails every comparison, if it is not made of groups. */
function countGroups(side: string, mayEndInIpv4: boolean): number {
  if (side === '') return 0;
  const groups = side.split(':');
  const last = groups.at(-1) ?? '';
  const isIpv4 = mayEndInIpv4 && isIpv4Shape(last) && isOctets(last);
  const hex = isIpv4 ? groups.slice(0, -1) : groups;
  return hex.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group)) ? hex.length + (isIpv4 ? 2 : 0) : NaN;
}
