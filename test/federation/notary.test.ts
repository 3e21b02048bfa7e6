import { describe, expect, it } from 'vitest';
import { answerKeyQuery, parseKeyQuery, type KeysOf } from '../../src/federation/notary.js';
import { publishedKeys, verifyServerKeys } from '../../src/federation/server-keys.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseJson, plainValue, type JsonObject } from '../../src/wire/json.js';
import { signaturesOf } from '../../src/wire/signed-json.js';
import { keyOf } from './peer.js';

const NOW = Date.UTC(2026, 0, 1);
const notary = { serverName: parseServerName('notary.example'), keys: [keyOf('n', 9)] } as const;
const asked = parseServerName('a.example');

describe('parseKeyQuery', () => {
  it('has the latest time that is asked for, for each server', () => {
    const body = {
      server_keys: {
        'a.example': {},
        'b.example': { 'ed25519:1': {}, 'ed25519:2': { minimum_valid_until_ts: NOW + 5 } },
        'c.example': { 'ed25519:1': { minimum_valid_until_ts: NOW - 5 } },
      },
    };
    expect(parse(body)).toEqual(
      new Map([
        ['a.example', NOW],
        ['b.example', NOW + 5],
        ['c.example', NOW],
      ]),
    );
  });

  it('leaves out what is no server name', () => {
    expect(parse({ server_keys: { 'a b': {}, '': {}, 'a.example': {} } })).toEqual(
      new Map([['a.example', NOW]]),
    );
  });

  it.each([
    ['a list', []],
    ['an empty object', {}],
    ['a list of servers', { server_keys: [] }],
    ['a server without an object', { server_keys: { 'a.example': 1 } }],
    [
      '101 servers',
      {
        server_keys: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`${String(n)}.example`, {}])),
      },
    ],
  ])('refuses %s', (_what, body) => {
    expect(parse(body)).toHaveProperty('fault');
  });
});

describe('answerKeyQuery', () => {
  const keysOf: KeysOf = async (serverName, minimumMs) => {
    if (serverName !== asked) return { fault: 'no answer' };
    expect(minimumMs).toBe(NOW);
    const object = publishedKeys({ serverName, keys: [keyOf('1', 1)] }, NOW);
    return verifyServerKeys(object, serverName, NOW);
  };

  it('adds the signature of the notary, and leaves out who does not answer', async () => {
    const query = new Map([
      [asked, NOW],
      [parseServerName('silent.example'), NOW],
    ]);
    const [object, ...others] = await objectsFor(query, keysOf);
    expect(others).toEqual([]);
    expect(signaturesOf(object as JsonObject).map(({ entity }) => entity)).toEqual([
      'a.example',
      'notary.example',
    ]);
    // signatures of others do not make it bad
    expect(await verifyServerKeys(object as JsonObject, asked, NOW)).toHaveProperty('verifyKeys');
  });

  it('has its own keys without asking anyone', async () => {
    const never: KeysOf = () => Promise.reject(new Error('asked'));
    const [object] = await objectsFor(new Map([[notary.serverName, NOW]]), never);
    expect(await verifyServerKeys(object as JsonObject, notary.serverName, NOW)).toHaveProperty('verifyKeys');
  });

  it('is an empty list for nothing', async () => {
    expect(plainValue(await answerKeyQuery(new Map(), notary, keysOf, NOW))).toEqual({ server_keys: [] });
  });

  async function objectsFor(query: ReadonlyMap<typeof asked, number>, from: KeysOf) {
    const answer = await answerKeyQuery(query, notary, from, NOW);
    const list = answer.members[0]?.value;
    expect(answer.members.map(({ key }) => key)).toEqual(['server_keys']);
    return list?.kind === 'array' ? list.items : [];
  }
});

function parse(body: unknown) {
  return parseKeyQuery(parseJson(JSON.stringify(body)), NOW);
}
