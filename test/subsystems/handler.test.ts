import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../src/ids/device-id.js';
import { parseUserId } from '../../src/ids/user-id.js';
import {
  batchAnswers,
  encodeServerMessage,
  parseAnswers,
  type Answer,
  type ServerMessage,
} from '../../src/subsystems/handler.js';
import { parseRecipient } from '../../src/todevice/message.js';
import { compactJson } from '../../src/wire/json.js';

function message(parts: Partial<ServerMessage> = {}): ServerMessage {
  return {
    sender: parseUserId('@a:remote.test'),
    type: 'org.example.x',
    content: compactJson('{"n":123456789012345678901}'),
    deviceId: undefined,
    via: 'federation',
    ...parts,
  };
}

describe('encodeServerMessage', () => {
  it('R-35: leaves the device out when the sender is elsewhere', () => {
    expect(encodeServerMessage(message())).toBe(
      '{"sender":"@a:remote.test","type":"org.example.x","content":{"n":123456789012345678901},"via":"federation"}',
    );
  });

  it('names the device of a local sender', () => {
    expect(encodeServerMessage(message({ deviceId: 'DEV"' as DeviceId, via: 'client' }))).toBe(
      '{"sender":"@a:remote.test","type":"org.example.x","content":{"n":123456789012345678901},"device_id":"DEV\\"","via":"client"}',
    );
  });
});

describe('batchAnswers', () => {
  const naming = (device: string) => compactJson(JSON.stringify({ device_id: device }));
  const ANSWER: Answer = { type: 't', content: compactJson('{"n":1}') };

  /** Type, user, device and content of all that goes out, a line for each batch. */
  function batched(answers: readonly Answer[], to: ServerMessage = message()): string[] {
    return batchAnswers(answers, to).map(({ type, messages }) =>
      [
        type,
        ...[...messages].flatMap(([user, devices]) =>
          [...devices].map(([device, content]) => `${user}/${device} ${content}`),
        ),
      ].join(' '),
    );
  }

  function answer(to: string, device: string, type = 't', n = 1): Answer {
    return { type, content: compactJson(`{"n":${n}}`), recipient: parseRecipient(to, device) };
  }

  it.each([
    ['the sending device', { deviceId: 'DEV' as DeviceId, content: naming('OTHER') }, 'DEV'],
    ['the device that the content names', { content: naming('OTHER') }, 'OTHER'],
    ['every device', {}, '*'],
    ['every device when the content names ""', { content: naming('') }, '*'],
    ['every device when the content names "*"', { content: naming('*') }, '*'],
    ['every device when the content names no string', { content: compactJson('{"device_id":1}') }, '*'],
  ])('R-35: an answer goes to %s', (_what, parts, device) => {
    expect(batched([ANSWER], message(parts))).toEqual([`t @a:remote.test/${device} {"n":1}`]);
  });

  it('R-36: no answer goes to a server, neither to one that asked nor to one that is named', () => {
    const asked = message({ sender: parseUserId('@:remote.test'), content: naming('DEV') });
    expect(batched([ANSWER, answer('@:other.test', '')], asked)).toEqual([]);
    expect(batched([answer('@:other.test', '*'), answer('@b:hs.test', 'B')], asked)).toEqual([
      't @b:hs.test/B {"n":1}',
    ]);
  });

  it('puts together what has one type, and keeps the order', () => {
    expect(
      batched([
        answer('@b:hs.test', 'B'),
        answer('@c:hs.test', '*'),
        answer('@b:hs.test', 'B2'),
        answer('@b:hs.test', 'B', 'u'),
        answer('@c:hs.test', 'C'),
      ]),
    ).toEqual([
      't @b:hs.test/B {"n":1} @b:hs.test/B2 {"n":1} @c:hs.test/* {"n":1}',
      'u @b:hs.test/B {"n":1}',
      't @c:hs.test/C {"n":1}',
    ]);
  });

  it.each([
    ['B', 'B'],
    ['B', '*'],
    ['*', 'B'],
    ['*', '*'],
  ])('takes %s and %s of one user apart, so that each device gets both', (one, two) => {
    expect(batched([answer('@b:hs.test', one), answer('@b:hs.test', two, 't', 2)])).toEqual([
      `t @b:hs.test/${one} {"n":1}`,
      `t @b:hs.test/${two} {"n":2}`,
    ]);
  });
});

describe('parseAnswers', () => {
  it('takes type and content, big integers and all', () => {
    expect(parseAnswers('{"type":"t","content":{"n":123456789012345678901}}\n', message())).toEqual([
      { type: 't', content: '{"n":123456789012345678901}' },
    ]);
  });

  it('takes the type received when there is none', () => {
    expect(parseAnswers('{"content":{}}', message())).toEqual([{ type: 'org.example.x', content: '{}' }]);
  });

  it('takes several, with the devices that they are for', () => {
    const messages = [
      { to: '@b:hs.test', device: 'B', type: 't', content: { n: 1 } },
      { to: '@c:remote.test', device: '*', content: {} },
      { type: 'u', content: {} },
    ];
    expect(parseAnswers(JSON.stringify({ messages }), message())).toEqual([
      { type: 't', content: '{"n":1}', recipient: { to: '@b:hs.test', device: 'B' } },
      { type: 'org.example.x', content: '{}', recipient: { to: '@c:remote.test', device: '*' } },
      { type: 'u', content: '{}', recipient: undefined },
    ]);
    expect(parseAnswers('{"messages":[]}', message())).toEqual([]);
  });

  const inMessages = (parts: object) => JSON.stringify({ messages: [{ content: {}, ...parts }] });
  it.each([
    ['nope', 'expected a value'],
    ['{}', 'no object under "content"'],
    ['{"content":1}', 'no object under "content"'],
    ['{"content":{},"type":1}', '"type" is no string'],
    ['{"content":{},"type":"\\ud800"}', '"type" is no string'],
    ['[]', 'no object under "content"'],
    [`{"content":{"x":"${'x'.repeat(65_536)}"}}`, 'longer than 65536 bytes'],
    ['{"content":{},"messages":[]}', 'both "content" and "messages"'],
    ['{"messages":{}}', '"messages" is no array'],
    ['{"messages":[1]}', 'no object under "content"'],
    [inMessages({ to: '@b:hs.test' }), 'no device is named'],
    [inMessages({ to: '@b:hs.test', device: '' }), 'the device "" is reserved for servers'],
    [inMessages({ to: 'b', device: 'B' }), '"b" is not a valid user ID'],
    [inMessages({ to: 1 }), '"to" is no string'],
    [inMessages({ device: 'B' }), 'has "device", and no "to"'],
    [inMessages({ to: '@:remote.test' }), 'is for @:remote.test, and servers are not answered'],
    [JSON.stringify({ messages: Array(1001).fill({ content: {} }) }), 'more than 1000 messages'],
  ])('refuses %s', (text, why) => {
    expect(() => parseAnswers(text, message())).toThrow(why);
  });
});
