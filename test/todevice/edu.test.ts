import { describe, expect, it } from 'vitest';
import { parseServerName } from '../../src/ids/server-name.js';
import { encodeDirectToDevice, parseDirectToDevice } from '../../src/todevice/edu.js';
import { jsonTextOf, parseJson } from '../../src/wire/json.js';

const origin = parseServerName('remote.example.org');
const toServer = {
  edu_type: 'm.direct_to_device',
  content: {
    message_id: 'hiezohf6Hoo7kaev',
    sender: '@alice:remote.example.org',
    type: 'org.example.whatever',
    messages: { '@:example.org': { '': { example_content: 'value' } } },
  },
};

function parse(edu: unknown) {
  return parseDirectToDevice(parseJson(JSON.stringify(edu)), origin);
}

function withContent(change: object) {
  return { ...toServer, content: { ...toServer.content, ...change } };
}

describe('parseDirectToDevice', () => {
  it('reads the EDU of MSC4246 to a server', () => {
    expect(parse(toServer)).toEqual({
      sender: '@alice:remote.example.org',
      type: 'org.example.whatever',
      messageId: 'hiezohf6Hoo7kaev',
      messages: new Map([['@:example.org', new Map([['', jsonTextOf({ example_content: 'value' })]])]]),
    });
  });

  it('reads the EDU of MSC4246 from a server', () => {
    expect(parse(withContent({ sender: '@:remote.example.org' }))).toMatchObject({
      sender: '@:remote.example.org',
    });
  });

  it.each(['@:example.org', '@mallory:elsewhere.example', '@:remote.example.org.'])(
    'R-16: %s is not of the origin',
    (sender) => {
      expect(parse(withContent({ sender }))).toBe('spoofed');
    },
  );

  it.each([
    ['no object', []],
    ['no type', { content: {} }],
    ['no content', { edu_type: 'm.direct_to_device' }],
    ['a sender that is no user ID', withContent({ sender: 'alice' })],
    ['no sender', withContent({ sender: undefined })],
    ['no message_id', withContent({ message_id: undefined })],
    ['a message_id of 33 code points', withContent({ message_id: 'x'.repeat(33) })],
    ['messages that are a list', withContent({ messages: [] })],
    ['devices that are a string', withContent({ messages: { '@a:b': 'x' } })],
  ])('finds a bad shape: %s', (_what, edu) => {
    expect(parse(edu)).toBe('bad_shape');
  });

  it('counts code points, not code units', () => {
    expect(parse(withContent({ message_id: '🐈'.repeat(32) }))).toMatchObject({ messageId: '🐈'.repeat(32) });
  });

  it('R-19: knows no other EDU', () => {
    expect(parse({ edu_type: 'm.presence', content: {} })).toBe('other_edu');
  });

  it('keeps what JavaScript would lose: big integers, odd device IDs', () => {
    const text = JSON.stringify(toServer).replace(
      '{"":{"example_content":"value"}}',
      '{"__proto__":{"n":9007199254740993}}',
    );
    expect(parseDirectToDevice(parseJson(text), origin)).toMatchObject({
      messages: new Map([['@:example.org', new Map([['__proto__', '{"n":9007199254740993}']])]]),
    });
  });
});

it('R-14: an EDU is written as it is read', () => {
  const parsed = parse(toServer);
  if (typeof parsed === 'string') throw new Error(parsed);
  expect(JSON.parse(encodeDirectToDevice(parsed))).toEqual(toServer);
});
