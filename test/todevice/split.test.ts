import { describe, expect, it } from 'vitest';
import { parseServerName } from '../../src/ids/server-name.js';
import { splitMessages, type Messages } from '../../src/todevice/split.js';
import { compactJson, type JsonText } from '../../src/wire/json.js';

const OWN = parseServerName('own.test');
const A = compactJson('{"a":1}');
const B = compactJson('{"b":123456789012345678901234567890}');

function messages(users: Record<string, [string, JsonText][]>): Messages {
  return new Map(Object.entries(users).map(([user, devices]) => [user, new Map(devices)]));
}

/** Maps as arrays, so that order counts. */
function split(users: Record<string, [string, JsonText][]>) {
  const { local, toServer, remote, rejected } = splitMessages(messages(users), OWN);
  return {
    local: local.map(({ userId, named, others }) => ({ userId, named: [...named], others })),
    toServer,
    remote: [...remote].map(([name, each]) => [
      name,
      [...each].map(([user, devices]) => [user, [...devices]]),
    ]),
    rejected,
  };
}

const NOTHING = { local: [], toServer: undefined, remote: [], rejected: [] };

describe('splitMessages', () => {
  it('gives each user of this server what is named, and the rest to the others', () => {
    expect(
      split({
        '@a:own.test': [['DEV', A]],
        '@b:own.test': [
          ['*', B],
          ['DEV', A],
        ],
      }),
    ).toEqual({
      ...NOTHING,
      local: [
        { userId: '@a:own.test', named: [['DEV', A]], others: undefined },
        { userId: '@b:own.test', named: [['DEV', A]], others: B },
      ],
    });
  });

  it('gives the server what is for it, content untouched', () => {
    expect(split({ '@:own.test': [['', B]] })).toEqual({ ...NOTHING, toServer: B });
  });

  it('gathers what is for others by destination, in order', () => {
    expect(
      split({
        '@z:two.test': [['*', A]],
        '@a:one.test:8448': [
          ['DEV', A],
          ['DEV2', B],
        ],
        '@:two.test': [['', B]],
      }),
    ).toEqual({
      ...NOTHING,
      remote: [
        [
          'two.test',
          [
            ['@z:two.test', [['*', A]]],
            ['@:two.test', [['', B]]],
          ],
        ],
        [
          'one.test:8448',
          [
            [
              '@a:one.test:8448',
              [
                ['DEV', A],
                ['DEV2', B],
              ],
            ],
          ],
        ],
      ],
    });
  });

  it.each(['@:own.test', '@:other.test'])('R-10: makes "*" at %s the device ""', (server) => {
    const result = split({ [server]: [['*', A]] });
    expect(result).toEqual(
      server === '@:own.test'
        ? { ...NOTHING, toServer: A }
        : { ...NOTHING, remote: [['other.test', [[server, [['', A]]]]]] },
    );
  });

  it.each([
    { first: '*', second: '' },
    { first: '', second: '*' },
  ])('R-12: prefers "" to "*" at a server, here with "$first" first', ({ first, second }) => {
    const content = (device: string) => (device === '' ? A : B);
    const devices: [string, JsonText][] = [
      [first, content(first)],
      [second, content(second)],
    ];
    expect(split({ '@:own.test': devices })).toEqual({ ...NOTHING, toServer: A });
    expect(split({ '@:o.test': devices })).toEqual({
      ...NOTHING,
      remote: [['o.test', [['@:o.test', [['', A]]]]]],
    });
  });

  it.each(['@:own.test', '@:other.test'])('R-13: rejects any other device of %s', (userId) => {
    expect(
      split({
        [userId]: [
          ['DEV', A],
          ['__proto__', B],
        ],
      }),
    ).toEqual({
      ...NOTHING,
      rejected: [
        { userId, deviceId: 'DEV', reason: 'E_SERVER_DEVICE' },
        { userId, deviceId: '__proto__', reason: 'E_SERVER_DEVICE' },
      ],
    });
  });

  it.each(['@a:own.test', '@a:other.test'])('R-13: rejects the device "" of %s', (userId) => {
    expect(split({ [userId]: [['', A]] })).toEqual({
      ...NOTHING,
      rejected: [{ userId, deviceId: '', reason: 'E_DEVICE_EMPTY' }],
    });
  });

  it('takes what the past allowed for a user ID', () => {
    const { local } = split({ '@Al ice:own.test': [['DEV', A]] });
    expect(local.map(({ userId }) => userId)).toEqual(['@Al ice:own.test']);
  });

  it('rejects what is no user ID, and keeps what stands beside it', () => {
    expect(split({ alice: [['DEV', A]], '@:': [['', A]], '@b:own.test': [['DEV', B]] })).toEqual({
      ...NOTHING,
      local: [{ userId: '@b:own.test', named: [['DEV', B]], others: undefined }],
      rejected: [
        { userId: 'alice', deviceId: undefined, reason: 'E_SIGIL' },
        { userId: '@:', deviceId: undefined, reason: 'E_SERVER_EMPTY' },
      ],
    });
  });

  it('knows "__proto__" as a device like any other', () => {
    expect(split({ '@a:own.test': [['__proto__', A]] }).local).toEqual([
      { userId: '@a:own.test', named: [['__proto__', A]], others: undefined },
    ]);
  });

  it('compares server names with case', () => {
    expect(split({ '@:OWN.test': [['', A]] }).remote).toEqual([['OWN.test', [['@:OWN.test', [['', A]]]]]]);
  });

  it('finds nothing in nothing', () => {
    expect(split({})).toEqual(NOTHING);
    expect(split({ '@a:own.test': [], '@:own.test': [] })).toEqual(NOTHING);
  });
});
