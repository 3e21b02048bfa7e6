import { describe, expect, it } from 'vitest';
import { parseServerName } from '../../src/ids/server-name.js';
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
});
