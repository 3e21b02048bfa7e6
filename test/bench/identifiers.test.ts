import { describe, expect, it } from 'vitest';
import { identifierLines, type IdentifierKind } from '../../src/bench/identifiers.js';
import { gradeDeviceId } from '../../src/ids/device-id.js';
import { gradeServerName } from '../../src/ids/server-name.js';
import { gradeUserId } from '../../src/ids/user-id.js';

const KINDS = ['user', 'server', 'device'] as const;
const GRADERS = { user: gradeUserId, server: gradeServerName, device: gradeDeviceId };

describe.each(KINDS)('identifiers of the kind %s', (kind) => {
  it.each([1, 9999, 10_000, 10_001, 25_000])('are as many as were asked for: %i', (count) => {
    const text = textOf(kind, count);
    expect(text.endsWith('\n')).toBe(true);
    expect(text.split('\n')).toHaveLength(count + 1);
  });

  it('are the same each time', () => {
    expect(textOf(kind, 1000)).toBe(textOf(kind, 1000));
    expect(textOf(kind, 20_000)).toBe(textOf(kind, 10_000).repeat(2));
  });

  it('are mostly valid, and not all', () => {
    const ids = textOf(kind, 10_000).split('\n').slice(0, -1);
    const valid = ids.filter((id) => GRADERS[kind](id).grammars.msc4246.valid).length;
    expect(valid).toBeGreaterThan(7000);
    expect(valid).toBeLessThan(9900);
  });
});

it('user IDs are of servers, too', () => {
  const ids = textOf('user', 10_000).split('\n').slice(0, -1);
  const ofServers = ids.filter((id) => gradeUserId(id).isServer).length;
  expect(ofServers).toBeGreaterThan(2500);
  expect(ofServers).toBeLessThan(3500);
});

it('few are held in memory, however many there are', () => {
  const portions = new Set<ArrayBufferLike>();
  let bytes = 0;
  for (const portion of identifierLines('user', 1_000_000)) {
    portions.add(portion.buffer);
    bytes += portion.byteLength;
  }
  expect(portions.size).toBe(1);
  expect(bytes).toBeGreaterThan(20_000_000);
});

function textOf(kind: IdentifierKind, count: number): string {
  return Buffer.concat([...identifierLines(kind, count)]).toString();
}
