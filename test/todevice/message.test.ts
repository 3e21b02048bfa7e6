import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import {
  contentWarnings,
  encodeMessages,
  eventTypeWarnings,
  parseContent,
  parseEventType,
  parseRecipient,
  parseTransactionId,
  recipientWarnings,
} from '../../src/todevice/message.js';

describe('parseRecipient', () => {
  it.each([
    ['@:example.org', undefined, ''],
    ['@:example.org', '', ''],
    ['@:example.org', '*', '*'],
    ['@:[::1]:8448', undefined, ''],
    ['@alice:example.org', 'AAAABBBB', 'AAAABBBB'],
    ['@alice:example.org', '*', '*'],
    ['@alice:example.org', '__proto__', '__proto__'],
    ['@Alice:example.org', 'D', 'D'],
  ])('takes %j with device %j', (to, device, expected) => {
    expect(parseRecipient(to, device)).toEqual({ to, device: expected });
  });

  it.each([
    ['', undefined, 'E_SIGIL'],
    ['example.org', undefined, 'E_SIGIL'],
    ['@:', undefined, 'E_SERVER_EMPTY'],
    ['@:exa mple.org', undefined, 'E_SERVER_CHAR'],
    ['@\ud800:example.org', '*', 'E_SURROGATE'],
    ['@alice:example.org', undefined, 'device_required'],
    ['@alice:example.org', '', 'E_DEVICE_EMPTY'],
    ['@alice:example.org', '\udc00', 'E_SURROGATE'],
    ['@:example.org', 'AAAABBBB', 'server_device'],
  ])('refuses %j with device %j: %s (R-6)', (to, device, reason) => {
    expect(refusal(() => parseRecipient(to, device))).toMatchObject({ code: 'invalid_input', reason });
  });

  it('says how an identifier is written', () => {
    expect(refusal(() => parseRecipient('alice')).hint).toBe(
      'write @:example.org for a server, @name:example.org for a user',
    );
  });
});

describe('recipientWarnings', () => {
  it('has none for the device "" of a server and for a user of today', () => {
    expect(recipientWarnings(parseRecipient('@:example.org'))).toEqual([]);
    expect(recipientWarnings(parseRecipient('@alice:example.org', '*'))).toEqual([]);
  });

  it('advises against "*" at a server (R-3)', () => {
    expect(recipientWarnings(parseRecipient('@:example.org', '*'))).toEqual([
      'a server user has one device, "", and a homeserver that does not know MSC4246 passes "*" on as it is',
    ]);
  });

  it('tells that a user ID is historical', () => {
    expect(recipientWarnings(parseRecipient('@Alice:example.org', 'D'))).toEqual([
      '@Alice:example.org is a historical user ID: its localpart has characters that are no longer allowed',
    ]);
  });
});

describe('parseEventType', () => {
  it.each(['org.example.whatever', 'm.mls.message', 'a/b', 'ü', ' ', '...'])('takes %j', (type) => {
    expect(parseEventType(type)).toBe(type);
  });

  it.each([
    ['', 'empty'],
    ['\ud800', 'lone_surrogate'],
    ['.', 'dot_segment'],
    ['..', 'dot_segment'],
  ])('refuses %j: %s', (type, reason) => {
    expect(refusal(() => parseEventType(type))).toMatchObject({ reason });
    expect(refusal(() => parseTransactionId(type))).toMatchObject({ reason });
  });

  it('is advised to have a prefix (R-4)', () => {
    expect(eventTypeWarnings(parseEventType('m.mls.message'))).toEqual([
      'the type m.mls.message has no prefix, and m.* belongs to the specification: ' +
        'until a proposal is accepted, write it like org.example.type or org.matrix.mscNNNN.type',
    ]);
    expect(eventTypeWarnings(parseEventType('org.matrix.msc4244.mls.message'))).toEqual([]);
    expect(eventTypeWarnings(parseEventType('mx2s.ping'))).toEqual([]);
  });

  it('is advised to have 255 bytes at most, counted in UTF-8', () => {
    expect(eventTypeWarnings(parseEventType('x'.repeat(255)))).toEqual([]);
    expect(eventTypeWarnings(parseEventType(`${'x'.repeat(254)}ü`))).toHaveLength(1);
  });
});

describe('parseContent', () => {
  it.each([
    ['{}', '{}'],
    ['{"b":"2", "a":"1"}', '{"a":"1","b":"2"}'],
    ['{"a":1.0,"b":1e3,"c":-0,"d":10e-1}', '{"a":1,"b":1000,"c":0,"d":1}'],
    ['{"__proto__":1}', '{"__proto__":1}'],
    ['{"a":9007199254740991}', '{"a":9007199254740991}'],
    ['{"a":"\\u65E5"}', '{"a":"日"}'],
  ])('sends %s as %s', (text, canonical) => {
    expect(parseContent(text)).toBe(canonical);
  });

  it.each([
    ['[1]', 'not_an_object', ''],
    ['"x"', 'not_an_object', ''],
    ['null', 'not_an_object', ''],
    ['1', 'not_an_object', ''],
    ['true', 'not_an_object', ''],
    ['{"a":[0,{"b/c":1.5}]}', 'fraction', '/a/1/b~1c'],
    ['{"a":9007199254740992}', 'integer_range', '/a'],
    ['{"a":-1e400}', 'integer_range', '/a'],
    ['{"a":"\\ud83d"}', 'lone_surrogate', '/a'],
    ['{"\\ud83d":1}', 'lone_surrogate', '/\ud83d'],
    ['{"a":{"b":1,"c":2,"b":1}}', 'duplicate_key', '/a/b'],
  ])('refuses %s: %s at %j', (text, reason, at) => {
    const error = refusal(() => parseContent(text));
    expect(error).toMatchObject({ code: 'invalid_input', reason, at });
    expect(error.hint).toBeDefined();
    if (at !== '') expect(error.message.endsWith(`, at ${at}`)).toBe(true);
  });

  it('says where text stops being JSON', () => {
    expect(refusal(() => parseContent('{"a":1,\n "b":}')).message).toBe(
      'the content is not JSON: expected a value, found something else, at line 2, column 6',
    );
    expect(refusal(() => parseContent('')).message).toBe(
      'the content is not JSON: expected a value, found the end, at column 1',
    );
  });

  it('refuses nesting that would exhaust a stack', () => {
    expect(refusal(() => parseContent(`{"a":${'['.repeat(100_000)}`))).toMatchObject({ reason: 'not_json' });
  });

  it('counts the limit in bytes of the canonical form', () => {
    const envelope = '{"a":""}'.length;
    const longest = `{ "a" : "${'x'.repeat(65_536 - envelope)}" }`;
    expect(parseContent(longest)).toHaveLength(65_536);
    expect(refusal(() => parseContent(`{"a":"x${'x'.repeat(65_536 - envelope)}"}`))).toMatchObject({
      reason: 'too_long',
      message:
        'the content cannot be sent: in canonical form it has 65537 bytes, and no more than 65536 are allowed',
    });
    // 21 845 characters of three bytes are 65 535, and the envelope is over
    expect(refusal(() => parseContent(`{"a":"${'日'.repeat(21_845)}"}`))).toMatchObject({
      reason: 'too_long',
    });
  });

  it('warns above 60 000 bytes', () => {
    const envelope = '{"a":""}'.length;
    expect(contentWarnings(parseContent(`{"a":"${'x'.repeat(60_000 - envelope)}"}`))).toEqual([]);
    expect(contentWarnings(parseContent(`{"a":"x${'x'.repeat(60_000 - envelope)}"}`))).toEqual([
      'the content has 60001 bytes, close to the 65536 above which servers refuse it',
    ]);
  });
});

describe('encodeMessages', () => {
  it('writes the first example of MSC4246 (R-2)', () => {
    const recipient = parseRecipient('@:example.org');
    expect(encodeMessages(recipient, parseContent('{"example_content":"value"}'))).toBe(
      '{"@:example.org":{"":{"example_content":"value"}}}',
    );
  });

  it('escapes what needs it', () => {
    const recipient = parseRecipient('@a"b:example.org', '\n');
    expect(encodeMessages(recipient, parseContent('{}'))).toBe('{"@a\\"b:example.org":{"\\n":{}}}');
  });
});

function refusal(action: () => unknown): InvalidInputError {
  try {
    action();
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
