import { describe, expect, it } from 'vitest';
import { parseServerName } from '../../src/ids/server-name.js';
import type { ToDeviceEvent } from '../../src/wire/sync.js';
import { encodeReceivedEvent, receivedEvent } from '../../src/todevice/received.js';
import { compactJson } from '../../src/wire/json.js';

const own = parseServerName('example.org');

function line(event: ToDeviceEvent): string {
  return encodeReceivedEvent(receivedEvent(event, own, 1_700_000_000_000));
}

describe('encodeReceivedEvent', () => {
  it('writes the promised fields in their order', () => {
    const event = { sender: '@:example.org', type: 'org.example.a', content: compactJson('{"b":2,"a":1}') };
    expect(line(event)).toBe(
      '{"v":1,"sender":"@:example.org","type":"org.example.a","content":{"b":2,"a":1},' +
        '"server_user":true,"own_server":true,"received_ts":1700000000000}',
    );
  });

  it('passes content on as it came', () => {
    const content = '{"big":9007199254740993,"f":1.0,"twice":1,"twice":2,"half":"\\ud800"}';
    expect(line({ sender: '@a:b', type: 't', content: compactJson(content) })).toContain(
      `"content":${content},`,
    );
  });

  it.each(['null', '[1]', '"text"', '12345678901234567890'])('survives content that is %s', (content) => {
    expect(line({ sender: '@a:b', type: 't', content: compactJson(content) })).toContain(
      `"content":${content},`,
    );
  });

  it('writes null where sender and type are missing', () => {
    const text = line({ sender: undefined, type: undefined, content: compactJson('{}') });
    expect(JSON.parse(text)).toMatchObject({
      sender: null,
      type: null,
      server_user: false,
      own_server: false,
    });
  });

  it('stays one line of valid JSON, whatever sender and type hold', () => {
    const sender = '@\n\u2028"\ud800\u0000:x';
    const text = line({ sender, type: '\r\n', content: compactJson('{}') });
    expect(text).not.toMatch(/[\n\r]/);
    expect(JSON.parse(text)).toMatchObject({ sender, type: '\r\n' });
  });
});
