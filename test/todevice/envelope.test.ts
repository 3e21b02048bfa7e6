import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { parseEnvelope, type EnvelopeDefaults } from '../../src/todevice/envelope.js';
import { parseAddressee, parseEventType } from '../../src/todevice/message.js';

const NOTHING: EnvelopeDefaults = { to: undefined, device: undefined, type: undefined };

describe('parseEnvelope', () => {
  it('reads a message to a server', () => {
    expect(
      parseEnvelope('{"to":"@:example.org","type":"org.example.a","content":{"b":1,"a":2}}', NOTHING),
    ).toEqual({
      message: {
        recipient: { to: '@:example.org', device: '' },
        type: 'org.example.a',
        content: '{"a":2,"b":1}',
      },
      txnId: undefined,
    });
  });

  it('reads every member, in any order', () => {
    const text = '{"txn_id":"t1","content":{},"device":"*","type":"a","to":"@alice:example.org"}';
    expect(parseEnvelope(text, NOTHING)).toEqual({
      message: { recipient: { to: '@alice:example.org', device: '*' }, type: 'a', content: '{}' },
      txnId: 't1',
    });
  });

  it('fills what is not said from the command line', () => {
    const defaults = {
      to: parseAddressee('@alice:example.org'),
      device: 'AAAABBBB',
      type: parseEventType('org.example.a'),
    };
    expect(parseEnvelope('{"content":{}}', defaults).message).toEqual({
      recipient: { to: '@alice:example.org', device: 'AAAABBBB' },
      type: 'org.example.a',
      content: '{}',
    });
    expect(
      parseEnvelope('{"device":"C","to":"@bob:b","type":"t","content":{}}', defaults).message,
    ).toMatchObject({
      recipient: { to: '@bob:b', device: 'C' },
      type: 't',
    });
  });

  it.each([
    ['[]', 'not_an_object', 'the envelope is not an object'],
    ['{"to":', 'not_json', 'the envelope is not JSON: expected a value, found the end, at column 7'],
    ['{}', 'missing_member', 'the envelope has no to, and TO was not given'],
    ['{"to":"@:a"}', 'missing_member', 'the envelope has no type, and --type was not given'],
    ['{"to":"@:a","type":"t"}', 'missing_member', 'the envelope has no content'],
    ['{"to":"@:a","devcie":""}', 'unknown_member', 'the envelope has "devcie", which no envelope has'],
    ['{"to":"@:a","to":"@:b"}', 'duplicate_key', 'the envelope has "to", twice'],
    ['{"to":1}', 'not_a_string', 'the envelope has "to", which is not a string'],
    ['{"to":"@:a","type":null}', 'not_a_string', 'the envelope has "type", which is not a string'],
    [
      '{"to":"@:a","type":"t","txn_id":1}',
      'not_a_string',
      'the envelope has "txn_id", which is not a string',
    ],
  ])('refuses %s: %s', (text, reason, message) => {
    expect(refusal(text)).toMatchObject({ reason, message, hint: expect.any(String) as string });
  });

  it.each([
    ['{"to":"alice","type":"t","content":{}}', 'E_SIGIL'],
    ['{"to":"@alice:a","type":"t","content":{}}', 'device_required'],
    ['{"to":"@:a","device":"X","type":"t","content":{}}', 'server_device'],
    ['{"to":"@:a","type":"","content":{}}', 'empty'],
    ['{"to":"@:a","type":"t","content":{},"txn_id":""}', 'empty'],
    ['{"to":"@:a","type":"t","content":[]}', 'not_an_object'],
  ])('holds %s to the rules for messages: %s', (text, reason) => {
    expect(refusal(text).reason).toBe(reason);
  });

  it('says where in the envelope the content is wrong', () => {
    expect(refusal('{"to":"@:a","type":"t","content":{"x":[1.5]}}')).toMatchObject({
      reason: 'fraction',
      at: '/content/x/0',
    });
  });
});

function refusal(text: string): InvalidInputError {
  try {
    parseEnvelope(text, NOTHING);
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
