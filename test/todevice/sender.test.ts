import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseServerName } from '../../src/ids/server-name.js';
import { gradeUserId } from '../../src/ids/user-id.js';
import { senderFacts } from '../../src/todevice/sender.js';

describe('senderFacts (R-1, R-7)', () => {
  const own = parseServerName('example.org');
  it.each([
    ['@:example.org', true, true],
    ['@:example.org:8448', true, false],
    ['@:EXAMPLE.org', true, false],
    ['@:x', true, false],
    ['@:x:1', true, false],
    ['@:[::1]', true, false],
    ['@alice:example.org', false, false],
    ['@\u200b:example.org', false, false],
    ['@:', false, false],
    ['@::example.org', false, false],
    ['@:exa mple.org', false, false],
    [`@:${'a'.repeat(300)}`, false, false],
    ['example.org', false, false],
    ['', false, false],
    [undefined, false, false],
  ])('%j', (sender, serverUser, ownServer) => {
    expect(senderFacts(sender, own)).toEqual({ serverUser, ownServer });
  });

  it('are those of the whole grammar, whatever the sender', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'aZ0.-:[]é'), maxLength: 300 }),
    );
    const sender = fc.oneof(
      fc
        .tuple(
          host,
          fc.oneof(
            fc.constant(''),
            fc.nat(70_000).map((port) => `:${port}`),
          ),
        )
        .map((name) => `@:${name.join('')}`),
      fc.nat(300).map((length) => `@:${'a'.repeat(length)}`),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(sender, (text) => {
        const { isServer, serverName } = gradeUserId(text);
        const facts = { serverUser: isServer, ownServer: isServer && serverName === own };
        expect(senderFacts(text, own)).toEqual(facts);
        if (isServer) expect(senderFacts(text, parseServerName(serverName ?? '')).ownServer).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
