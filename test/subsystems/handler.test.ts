import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../src/ids/device-id.js';
import { parseUserId } from '../../src/ids/user-id.js';
import {
  answerDevice,
  encodeServerMessage,
  parseAnswer,
  type ServerMessage,
} from '../../src/subsystems/handler.js';
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

describe('answerDevice', () => {
  const naming = (device: string) => compactJson(JSON.stringify({ device_id: device }));

  it.each([
    ['the sending device', { deviceId: 'DEV' as DeviceId, content: naming('OTHER') }, 'DEV'],
    ['the device that the content names', { content: naming('OTHER') }, 'OTHER'],
    ['every device', {}, '*'],
    ['every device when the content names ""', { content: naming('') }, '*'],
    ['every device when the content names "*"', { content: naming('*') }, '*'],
    ['every device when the content names no string', { content: compactJson('{"device_id":1}') }, '*'],
  ])('R-35: is %s', (_what, parts, device) => {
    expect(answerDevice(message(parts))).toBe(device);
  });

  it('R-36: is none for a server', () => {
    expect(
      answerDevice(message({ sender: parseUserId('@:remote.test'), content: naming('DEV') })),
    ).toBeUndefined();
  });
});

describe('parseAnswer', () => {
  it('takes type and content, big integers and all', () => {
    expect(parseAnswer('{"type":"t","content":{"n":123456789012345678901}}\n', message())).toEqual({
      type: 't',
      content: '{"n":123456789012345678901}',
    });
  });

  it('takes the type received when there is none', () => {
    expect(parseAnswer('{"content":{}}', message()).type).toBe('org.example.x');
  });

  it.each([
    ['nope', 'expected a value'],
    ['{}', 'no object under "content"'],
    ['{"content":1}', 'no object under "content"'],
    ['{"content":{},"type":1}', '"type" is no string'],
    ['{"content":{},"type":"\\ud800"}', '"type" is no string'],
    ['[]', 'no object under "content"'],
    [`{"content":{"x":"${'x'.repeat(65_536)}"}}`, 'longer than 65536 bytes'],
  ])('refuses %s', (text, why) => {
    expect(() => parseAnswer(text, message())).toThrow(why);
  });
});
