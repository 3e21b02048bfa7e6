import { describe, expect, it } from 'vitest';
import { parseServerName } from '../../src/ids/server-name.js';
import { compileSelection, type SelectionRules } from '../../src/listen/selection.js';
import { receivedEvent } from '../../src/todevice/received.js';
import type { JsonText } from '../../src/wire/json.js';

const SERVER = '@:example.org';
const OTHER_SERVER = '@:example.com';
const ALICE = '@alice:example.org';

function selects(
  rules: Partial<SelectionRules>,
  sender: string | undefined,
  type: string | undefined = 'org.example.a',
): boolean {
  const selection = compileSelection({ types: [], notTypes: [], from: [], anySender: false, ...rules });
  const event = { sender, type, content: '{}' as JsonText };
  return selection(receivedEvent(event, parseServerName('example.org'), 0));
}

describe('compileSelection', () => {
  it.each([
    [{}, SERVER, true],
    [{}, OTHER_SERVER, true],
    [{}, ALICE, false],
    [{}, undefined, false],
    [{ anySender: true }, ALICE, true],
    [{ anySender: true }, 'no user ID', true],
    [{ anySender: true }, undefined, true],
    [{ from: [ALICE] }, ALICE, true],
    [{ from: [ALICE] }, SERVER, false],
    [{ from: [ALICE, SERVER] }, SERVER, true],
    [{ from: [ALICE], anySender: true }, SERVER, false],
    [{ from: [ALICE] }, undefined, false],
  ])('by sender: %j selects %j: %s', (rules, sender, expected) => {
    expect(selects(rules, sender)).toBe(expected);
  });

  it.each([
    [{ types: ['org.example.a'] }, 'org.example.a', true],
    [{ types: ['org.example.b'] }, 'org.example.a', false],
    [{ types: ['org.example.b', 'org.*'] }, 'org.example.a', true],
    [{ notTypes: ['org.*'] }, 'org.example.a', false],
    [{ notTypes: ['com.*', 'net.*'] }, 'org.example.a', true],
    [{ types: ['org.*'], notTypes: ['*.a'] }, 'org.example.a', false],
    [{ types: ['org.*'], notTypes: ['*.a'] }, 'org.example.b', true],
    [{ types: ['*'] }, '', true],
  ])('by type: %j selects %j: %s', (rules, type, expected) => {
    expect(selects(rules, SERVER, type)).toBe(expected);
  });

  it('takes an absent type for an empty one', () => {
    const untyped = { sender: SERVER, type: undefined, content: '{}' as JsonText };
    const event = receivedEvent(untyped, parseServerName('example.org'), 0);
    const select = (types: readonly string[]): boolean =>
      compileSelection({ types, notTypes: [], from: [], anySender: false })(event);
    expect([select([]), select(['*']), select(['?*'])]).toEqual([true, true, false]);
  });

  it('wants both, sender and type', () => {
    expect(selects({ types: ['org.*'], from: [ALICE] }, ALICE)).toBe(true);
    expect(selects({ types: ['org.*'], from: [ALICE] }, ALICE, 'com.a')).toBe(false);
    expect(selects({ types: ['org.*'], from: [ALICE] }, SERVER)).toBe(false);
  });
});
