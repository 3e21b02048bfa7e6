import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../../src/ids/device-id.js';
import { parseUserId } from '../../../src/ids/user-id.js';
import type { LogEntry } from '../../../src/server/log-entry.js';
import { PLAIN_PALETTE } from '../../../src/ui/palette.js';
import { readyVariables, renderAssignments, renderLogEntry } from '../../../src/ui/render/serve.js';
import { compactJson } from '../../../src/wire/json.js';

const NOON = new Date(2026, 10, 25, 12, 0, 5).getTime(); // local time, like the output
const ENTRY: LogEntry = {
  direction: 'in',
  sender: '@a:hs.test',
  to: '@:hs.test',
  device: '',
  type: 'org.example.x',
  via: 'client',
  outcome: 'dropped',
};

function render(entry: Partial<LogEntry>, width = Infinity): string {
  return renderLogEntry({ ...ENTRY, ...entry }, NOON, { palette: PLAIN_PALETTE, width });
}

describe('renderLogEntry', () => {
  it('says what came from whom for whom, and what became of it', () => {
    expect(render({})).toBe('12:00:05  in   dropped  org.example.x  @a:hs.test → @:hs.test');
    expect(render({ outcome: 'handled', content: compactJson('{"a":1}') })).toBe(
      '12:00:05  in   handled  org.example.x  @a:hs.test → @:hs.test  {"a":1}',
    );
  });

  it('names the device', () => {
    expect(render({ device: 'DEV' })).toMatch(/→ @:hs\.test \(device DEV\)$/);
    expect(render({ device: '*' })).toMatch(/→ @:hs\.test \(all devices\)$/);
  });

  it('escapes what strangers chose, and is cut to the width', () => {
    expect(render({ type: '\u001b[2J', device: '\u202e' })).toBe(
      '12:00:05  in   dropped  \\u001b[2J  @a:hs.test → @:hs.test (device \\u202e)',
    );
    expect(render({}, 30)).toBe('12:00:05  in   dropped  org.e…');
  });
});

describe('renderAssignments', () => {
  it('quotes what means something to a shell', () => {
    expect(renderAssignments({ A: 'plain', B: "it's $HOME" })).toBe(`A=plain\nB='it'\\''s $HOME'\n`);
  });
});

describe('readyVariables', () => {
  it('names no user that is not there', () => {
    const user = {
      userId: parseUserId('@a:hs.test'),
      deviceId: 'D' as DeviceId,
      accessToken: 't',
      password: 'p',
    };
    expect(readyVariables({ homeserver: 'http://h', serverName: 'hs.test', users: [user] })).toEqual({
      MX2S_HOMESERVER: 'http://h',
      MX2S_SERVER_NAME: 'hs.test',
      MX2S_USER_ID: '@a:hs.test',
      MX2S_DEVICE_ID: 'D',
      MX2S_ACCESS_TOKEN: 't',
    });
  });
});
