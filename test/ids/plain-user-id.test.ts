import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainUserId } from '../../src/ids/plain-user-id.js';
import { gradeUserId } from '../../src/ids/user-id.js';
import { userId } from './made-up.js';

describe('plainUserId', () => {
  it.each([
    ['@alice:example.org', 'user'],
    ['@a.b_c=d-e/f+1:Example.org:8448', 'user'],
    ['@:example.org', 'server-user'],
    ['@:localhost:1', 'server-user'],
    [`@${'a'.repeat(242)}:example.org`, 'user'],
  ])('knows %s at sight', (id, kind) => {
    expect(plainUserId(id)).toBe(kind);
  });

  it.each([
    ['an address', '@alice:1.2.3.4'],
    ['a port of five digits', '@alice:example.org:65535'],
    ['256 bytes', `@${'a'.repeat(243)}:example.org`],
    ['an empty host', '@alice:'],
    ['a sigil alone', '@'],
    ['nothing', ''],
  ])('leaves %s to the careful way', (_name, id) => {
    expect(plainUserId(id)).toBeUndefined();
  });

  it('never says what gradeUserId does not', () => {
    const edited = fc
      .tuple(fc.constantFrom('@alice:example.org:8448', '@:example.org', '@a:b'), fc.nat(24), fc.nat(0x200))
      .map(([id, at, code]) => id.slice(0, at) + String.fromCharCode(code) + id.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(userId, edited), (text) => {
        const plain = plainUserId(text);
        fc.pre(plain !== undefined);
        const { grammars, isServer } = gradeUserId(text);
        expect(isServer).toBe(plain === 'server-user');
        expect(grammars).toEqual(
          isServer
            ? {
                strict: { valid: false, code: 'E_LOCALPART_EMPTY' },
                historical: { valid: true, compliant: false },
                msc4246: { valid: true },
              }
            : {
                strict: { valid: true },
                historical: { valid: true, compliant: true },
                msc4246: { valid: true },
              },
        );
      }),
      { seed: 4246, numRuns: 2000 },
    );
  });
});
