import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../src/ids/device-id.js';
import { encodeAnswers, parseServerMessage } from '../../src/subsystems/answering.js';
import { encodeServerMessage, parseAnswers, type Answer } from '../../src/subsystems/handler.js';
import { parseRecipient } from '../../src/todevice/message.js';
import { compactJson } from '../../src/wire/json.js';
import { MESSAGE } from './message.js';

describe('parseServerMessage', () => {
  it.each([
    ['as it is', MESSAGE],
    ['with a device', { ...MESSAGE, deviceId: 'DEV"' as DeviceId }],
    ['of another server', { ...MESSAGE, via: 'federation' as const }],
  ])('reads what is handed over %s', (_how, message) => {
    expect(parseServerMessage(encodeServerMessage(message))).toEqual(message);
  });

  it.each([
    ['', 'expected a value'],
    ['[]', 'no sender or no type'],
    ['{"sender":"@a:hs.test","content":{},"via":"client"}', 'no sender or no type'],
    ['{"sender":"a","type":"t","content":{},"via":"client"}', 'not a valid user ID'],
    ['{"sender":"@a:hs.test","type":"t","content":[],"via":"client"}', 'no object under "content"'],
    ['{"sender":"@a:hs.test","type":"t","content":{}}', 'by which way it came'],
    [
      '{"sender":"@a:hs.test","type":"t","content":{},"via":"client","device_id":"*"}',
      'not a valid device ID',
    ],
  ])('refuses %s', (text, why) => {
    expect(() => parseServerMessage(text)).toThrow(why);
  });
});

describe('encodeAnswers', () => {
  const answer: Answer = { type: 'org.example.y', content: compactJson('{"n":123456789012345678901}') };
  const elsewhere: Answer = { ...answer, recipient: parseRecipient('@b:hs.test', 'DEV') };

  it('writes nothing for no answer', () => {
    expect(encodeAnswers([])).toBe('');
  });

  it('writes one to whoever asked as every handler does', () => {
    expect(encodeAnswers([answer])).toBe('{"type":"org.example.y","content":{"n":123456789012345678901}}');
  });

  it.each([[[elsewhere]], [[answer, elsewhere]], [[answer, answer]]])(
    'writes what is read the same: %#',
    (answers) => {
      expect(parseAnswers(encodeAnswers(answers), MESSAGE)).toEqual(answers);
    },
  );
});
