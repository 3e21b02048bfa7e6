import { describe, expect, it } from 'vitest';
import { MalformedResponseError } from '../../src/errors.js';
import { parseSlidingSync, parseSync, type ToDeviceEvent } from '../../src/wire/sync.js';

const AT = 'GET https://hs.example/_matrix/client/v3/sync';

/** Every oddity that homeservers were seen to deliver, and some that they were not. */
const ITEMS: [name: string, item: string, read: Record<string, unknown>][] = [
  [
    'an event',
    '{"sender":"@:b","type":"t","content":{"a":1}}',
    { sender: '@:b', type: 't', content: '{"a":1}' },
  ],
  [
    'white space, taken out between the tokens only',
    ' { "sender" : "@:b" , "type" : "t" , "content" : { "a b" : [ 1 , 2 ] ,\n"c":" x " } } ',
    { sender: '@:b', type: 't', content: '{"a b":[1,2],"c":" x "}' },
  ],
  ['a null content', '{"content":null}', { sender: undefined, type: undefined, content: 'null' }],
  ['a string content', '{"content":"x"}', { sender: undefined, type: undefined, content: '"x"' }],
  ['a list content', '{"content":[1]}', { sender: undefined, type: undefined, content: '[1]' }],
  ['no content', '{"type":"t"}', { sender: undefined, type: 't', content: 'null' }],
  [
    'numbers that JavaScript would round',
    '{"content":{"n":12345678901234567890,"f":1.50,"e":1E+2,"z":-0}}',
    { sender: undefined, type: undefined, content: '{"n":12345678901234567890,"f":1.50,"e":1E+2,"z":-0}' },
  ],
  [
    'a lone surrogate',
    String.raw`{"type":"\ud800","content":{"\ud800":"\udfff"}}`,
    { sender: undefined, type: '\ud800', content: String.raw`{"\ud800":"\udfff"}` },
  ],
  [
    'keys that stand twice',
    '{"type":"a","type":"b","content":{"k":1,"k":2}}',
    { sender: undefined, type: 'b', content: '{"k":1,"k":2}' },
  ],
  [
    'a sender that is no string',
    '{"sender":{"sender":"@a:b"},"type":7}',
    { sender: undefined, type: undefined, content: 'null' },
  ],
  [
    'members nobody asked for',
    '{"event_id":"$1","to_device_id":[{}],"content":{}}',
    { sender: undefined, type: undefined, content: '{}' },
  ],
  ['an empty event', '{}', { sender: undefined, type: undefined, content: 'null' }],
  [
    'the key __proto__',
    '{"__proto__":{"sender":"@a:b"},"content":{"__proto__":1}}',
    { sender: undefined, type: undefined, content: '{"__proto__":1}' },
  ],
];

describe('parseSync', () => {
  it.each(ITEMS)('reads %s', (_name, item, read) => {
    const body = `{"next_batch":"s1","to_device":{"events":[${item}]}}`;
    expect(parseSync(body, () => AT)).toStrictEqual({ nextBatch: 's1', events: [read], malformedCount: 0 });
  });

  it('keeps the order of events, and counts items that are none', () => {
    const body = '{"to_device":{"events":[{"type":"a"},null,"x",[{}],7,true,{"type":"b"}]},"next_batch":"s"}';
    const batch = parseSync(body, () => AT);
    expect(batch.events.map(({ type }: ToDeviceEvent) => type)).toEqual(['a', 'b']);
    expect(batch.malformedCount).toBe(5);
  });

  const empty: [name: string, body: string][] = [
    ['no to_device', '{"next_batch":"s"}'],
    ['to_device null', '{"next_batch":"s","to_device":null}'],
    ['to_device a list', '{"next_batch":"s","to_device":[{"type":"a"}]}'],
    ['no events', '{"next_batch":"s","to_device":{}}'],
    ['events null', '{"next_batch":"s","to_device":{"events":null}}'],
    ['events an object', '{"next_batch":"s","to_device":{"events":{"type":"a"}}}'],
    ['rooms full of the same words', '{"rooms":{"to_device":{"events":[{"type":"a"}]}},"next_batch":"s"}'],
  ];
  it.each(empty)('gives no events for %s', (_name, body) => {
    expect(parseSync(body, () => AT)).toEqual({ nextBatch: 's', events: [], malformedCount: 0 });
  });

  it('survives any depth, in content and elsewhere', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const body = `{"rooms":${deep},"next_batch":"s","to_device":{"events":[{"content":${deep}}]}}`;
    expect(parseSync(body, () => AT).events[0]?.content).toBe(deep);
  });

  const malformed: [name: string, body: string][] = [
    ['an empty body', ''],
    ['a page', '<html>'],
    ['a list', '[]'],
    ['null', 'null'],
    ['JSON cut short', '{"next_batch":"s","to_device":{"events":[{"content":{'],
    ['two values', '{"next_batch":"s"}{}'],
    ['no next_batch', '{"to_device":{"events":[]}}'],
    ['a next_batch that is a number', '{"next_batch":7}'],
    ['bad escapes in a content', String.raw`{"next_batch":"s","to_device":{"events":[{"content":"\x"}]}}`],
  ];
  it.each(malformed)('refuses %s, and says who answered so', (_name, body) => {
    expect(() => parseSync(body, () => AT)).toThrow(MalformedResponseError);
    expect(() => parseSync(body, () => AT)).toThrow(AT);
  });
});

describe('parseSlidingSync', () => {
  it.each(ITEMS)('reads %s', (_name, item, read) => {
    const body = `{"pos":"p","rooms":{},"extensions":{"to_device":{"next_batch":"s1","events":[${item}]}}}`;
    expect(parseSlidingSync(body, () => AT)).toStrictEqual({
      pos: 'p',
      nextBatch: 's1',
      events: [read],
      malformedCount: 0,
    });
  });

  it('knows the extension by its prefixed name too', () => {
    const body =
      '{"pos":"p","extensions":{"e2ee":{},"org.matrix.msc4538.to_device":{"next_batch":"s","events":[{}]}}}';
    expect(parseSlidingSync(body, () => AT)).toMatchObject({ nextBatch: 's', events: [{}] });
  });

  const silent: [name: string, body: string][] = [
    ['no extensions', '{"pos":"p"}'],
    ['extensions null', '{"pos":"p","extensions":null}'],
    ['no to_device', '{"pos":"p","extensions":{}}'],
    ['to_device null', '{"pos":"p","extensions":{"to_device":null}}'],
    ['a next_batch that is no string', '{"pos":"p","extensions":{"to_device":{"next_batch":7}}}'],
  ];
  it.each(silent)('leaves the old since good for %s', (_name, body) => {
    expect(parseSlidingSync(body, () => AT)).toEqual({
      pos: 'p',
      nextBatch: undefined,
      events: [],
      malformedCount: 0,
    });
  });

  it.each([
    ['no pos', '{"extensions":{}}'],
    ['a page', '<html>'],
  ])('refuses %s', (_name, body) => {
    expect(() => parseSlidingSync(body, () => AT)).toThrow(MalformedResponseError);
  });
});
