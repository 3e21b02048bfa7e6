import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fanOut } from '../../src/federation/fan-out.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseUserId } from '../../src/ids/user-id.js';
import { parseDirectToDevice } from '../../src/todevice/edu.js';
import { splitMessages, type Messages, type RemoteMessages } from '../../src/todevice/split.js';
import { canonicalJson } from '../../src/wire/canonical-json.js';
import { jsonTextOf, parseJson, type JsonText } from '../../src/wire/json.js';
import { encodeTransaction } from '../../src/wire/transaction.js';

const OWN = parseServerName('example.org');
const REMOTE = parseServerName('remote.example');
const sender = parseUserId('@alice:example.org');
const LIMIT = 65_536;

describe('fanOut', () => {
  it('R-14: a message to a server is the EDU of MSC4246, with a message ID of its own', () => {
    const users = usersOf({ '@:remote.example': { '*': jsonTextOf({ example_content: 'value' }) } });
    const { edus, rejected } = fanOut({ sender, type: 'org.example.whatever', users }, messageIds());
    expect(edus.map((edu) => JSON.parse(edu) as unknown)).toEqual([
      {
        edu_type: 'm.direct_to_device',
        content: {
          message_id: 'id-1',
          messages: { '@:remote.example': { '': { example_content: 'value' } } },
          sender: '@alice:example.org',
          type: 'org.example.whatever',
        },
      },
    ]);
    expect(rejected).toEqual([]);
  });

  it('R-27: a message from the server itself has it as its sender', () => {
    const users = usersOf({ '@bob:remote.example': { '*': jsonTextOf({}), DEVICE: jsonTextOf({ a: 1 }) } });
    const server = parseUserId('@:example.org');
    const { edus } = fanOut({ sender: server, type: 't', users }, messageIds());
    expect(JSON.parse(edus[0] ?? '')).toMatchObject({
      content: {
        sender: '@:example.org',
        messages: { '@bob:remote.example': { '*': {}, DEVICE: { a: 1 } } },
      },
    });
  });

  it('writes content as it can be signed', () => {
    const users = usersOf({ '@bob:remote.example': { D: '{"b":1.0,"a":1e3,"\\u0061b":-0}' as JsonText } });
    const { edus } = fanOut({ sender, type: 't', users }, messageIds());
    expect(edus[0]).toContain('{"a":1000,"ab":0,"b":1}');
    expect(edus[0]).toBe(canonicalJson(parseJson(edus[0] ?? '')));
  });

  it('rejects content that cannot be signed, and sends the rest', () => {
    const users = usersOf({
      '@bob:remote.example': {
        A: '{"x":1.5}' as JsonText,
        B: '{"x":1}' as JsonText,
        C: '{"x":9007199254740993}' as JsonText,
        D: '{"x":"\\ud800"}' as JsonText,
        E: '{"x":1,"x":2}' as JsonText,
      },
    });
    const { edus, rejected } = fanOut({ sender, type: 't', users }, messageIds());
    expect(edus).toHaveLength(1);
    expect(edus[0]).toContain('{"@bob:remote.example":{"B":{"x":1}}}');
    expect(rejected.map(({ deviceId, reason }) => [deviceId, reason])).toEqual([
      ['A', 'fraction'],
      ['C', 'integer_range'],
      ['D', 'lone_surrogate'],
      ['E', 'duplicate_key'],
    ]);
  });

  it('rejects content that would nest too deeply in a transaction', () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}` as JsonText;
    const users = usersOf({ '@bob:remote.example': { A: nested(94), B: nested(95) } });
    const { edus, rejected } = fanOut({ sender, type: 't', users }, messageIds());
    expect(rejected).toEqual([{ userId: '@bob:remote.example', deviceId: 'B', reason: 'too_deep' }]);
    const body = encodeTransaction({ origin: OWN, originServerTsMs: 0, edus });
    expect(parseJson(body)).toMatchObject({ kind: 'object' });
  });

  it('fills an EDU to the last byte, and rejects what is one byte too much', () => {
    const users = (text: string) => usersOf({ '@bob:remote.example': { D: jsonTextOf({ text }) } });
    const empty = fanOut({ sender, type: 't', users: users('') }, messageIds()).edus[0] ?? '';
    const room = LIMIT - Buffer.byteLength(empty);
    const full = fanOut(
      { sender, type: 't', users: users(`${'ü'.repeat(10)}${'a'.repeat(room - 20)}`) },
      messageIds(),
    );
    expect(full.edus.map((edu) => Buffer.byteLength(edu))).toEqual([LIMIT]);
    const over = fanOut({ sender, type: 't', users: users('a'.repeat(room + 1)) }, messageIds());
    expect(over).toMatchObject({ edus: [], rejected: [{ reason: 'too_large' }] });
  });

  it('counts what stands between contents', () => {
    const users = (text: string) =>
      usersOf({
        '@bob:remote.example': { A: jsonTextOf({}), B: jsonTextOf({}) },
        '@carol:remote.example': { C: jsonTextOf({ text }) },
      });
    const sizesFor = (text: string) =>
      fanOut({ sender, type: 't', users: users(text) }, messageIds()).edus.map((edu) =>
        Buffer.byteLength(edu),
      );
    const room = LIMIT - (sizesFor('')[0] ?? 0);
    expect(sizesFor('a'.repeat(room))).toEqual([LIMIT]);
    expect(sizesFor('a'.repeat(room + 1))).toHaveLength(2);
  });

  it('splits what is too much for one EDU, each with a message ID of its own', () => {
    const content = jsonTextOf({ text: 'a'.repeat(20_000) });
    const devices = Object.fromEntries(['A', 'B', 'C', 'D', 'E', 'F', 'G'].map((id) => [id, content]));
    const { edus } = fanOut(
      { sender, type: 't', users: usersOf({ '@bob:remote.example': devices }) },
      messageIds(),
    );
    const parsed = edus.map(parse);
    expect(parsed.map(({ messageId }) => messageId)).toEqual(['id-1', 'id-2', 'id-3']);
    expect(
      parsed.map(({ messages }) => [...(messages.get('@bob:remote.example') ?? [])].map(([id]) => id)),
    ).toEqual([['A', 'B', 'C'], ['D', 'E', 'F'], ['G']]);
  });

  it('loses nothing, keeps the order, and makes no EDU larger than allowed', () => {
    const content = fc.oneof(
      { weight: 3, arbitrary: fc.string() },
      fc.nat(40_000).map((length) => 'é'.repeat(length)),
    );
    const devices = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), content, { maxKeys: 6 });
    const users = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), devices, { maxKeys: 5 });
    fc.assert(
      fc.property(users, (localparts) => {
        const all: [string, string, string][] = [];
        const messages = new Map<string, Map<string, JsonText>>();
        for (const [localpart, contents] of Object.entries(localparts)) {
          const userId = `@${localpart}:remote.example`;
          for (const [deviceId, text] of Object.entries(contents)) {
            const json = jsonTextOf({ text });
            if (!messages.has(userId)) messages.set(userId, new Map());
            messages.get(userId)?.set(deviceId, json);
          }
        }
        const remote = splitMessages(messages, OWN).remote.get(REMOTE) ?? new Map();
        for (const [userId, contents] of remote as RemoteMessages) {
          for (const [deviceId, json] of contents) all.push([userId, deviceId, json]);
        }
        const { edus, rejected } = fanOut({ sender, type: 't', users: remote }, messageIds());
        const sent = edus.flatMap((edu) => {
          expect(Buffer.byteLength(edu)).toBeLessThanOrEqual(LIMIT);
          const entries = [...parse(edu).messages].flatMap(([userId, contents]) =>
            [...contents].map(([deviceId, json]) => [userId, deviceId, json]),
          );
          expect(entries.length).toBeGreaterThan(0);
          return entries;
        });
        const lost = new Set(rejected.map(({ userId, deviceId }) => JSON.stringify([userId, deviceId])));
        const wanted = all.filter(([userId, deviceId]) => !lost.has(JSON.stringify([userId, deviceId])));
        expect(sent.map((entry) => JSON.stringify(entry)).sort()).toEqual(
          wanted.map((entry) => JSON.stringify(entry)).sort(),
        );
      }),
      { numRuns: 50 },
    );
  });
});

function usersOf(messages: Readonly<Record<string, Readonly<Record<string, JsonText>>>>): RemoteMessages {
  const map: Messages = new Map(
    Object.entries(messages).map(([userId, devices]) => [userId, new Map(Object.entries(devices))]),
  );
  const users = splitMessages(map, OWN).remote.get(REMOTE);
  if (users === undefined) throw new Error('nothing is for the remote server');
  return users;
}

function parse(edu: JsonText) {
  const parsed = parseDirectToDevice(parseJson(edu), OWN);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

function messageIds(): () => string {
  let count = 0;
  return () => `id-${String((count += 1))}`;
}
