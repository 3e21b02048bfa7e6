import { describe, expect, it } from 'vitest';
import { parseServerName } from '../../../src/ids/server-name.js';
import type { ToDeviceEvent } from '../../../src/wire/sync.js';
import { receivedEvent } from '../../../src/todevice/received.js';
import { PLAIN_PALETTE, type Palette } from '../../../src/ui/palette.js';
import { renderEvent } from '../../../src/ui/render/event.js';
import type { JsonText } from '../../../src/wire/json.js';

const NOON = new Date(2026, 10, 25, 12, 0, 5).getTime(); // local time, like the output
const PLAIN_EVENT = { sender: '@:example.org', type: 'org.example.a', content: '{"a":1}' };

interface Settings {
  readonly palette?: Palette;
  readonly width?: number;
}

function render(event: Record<keyof ToDeviceEvent, string | undefined>, settings: Settings = {}): string {
  const received = receivedEvent(
    { ...event, content: event.content as JsonText },
    parseServerName('example.org'),
    NOON,
  );
  return renderEvent(received, { palette: PLAIN_PALETTE, width: Infinity, ...settings });
}

describe('renderEvent', () => {
  it('gives time, sender, type and content', () => {
    expect(render(PLAIN_EVENT)).toBe('12:00:05  @:example.org  org.example.a  {"a":1}');
  });

  it('shows a dash for a sender or type that is not there', () => {
    expect(render({ ...PLAIN_EVENT, sender: undefined, type: undefined })).toBe('12:00:05  -  -  {"a":1}');
  });

  it('escapes what a terminal or a reader could be fooled with, in every column', () => {
    const line = render({ sender: '@\u001b[2J:x', type: 'a\nb', content: '{"c":"\u202e\u200b\ud800"}' });
    expect(line).toBe('12:00:05  @\\u001b[2J:x  a\\u000ab  {"c":"\\u202e\\u200b\\ud800"}');
  });

  it.each([
    [48, '12:00:05  @:example.org  org.example.a  {"a":1}'],
    [47, '12:00:05  @:example.org  org.example.a  {"a":1}'],
    [46, '12:00:05  @:example.org  org.example.a  {"a":…'],
    [30, '12:00:05  @:example.org  org.…'],
    [25, '12:00:05  @:example.org'],
    [12, '12:00:05  @…'],
    [5, '12:0…'],
  ])('cuts to %i characters', (width, expected) => {
    expect(render(PLAIN_EVENT, { width })).toBe(expected);
  });

  it('counts an escape as it is shown, and cuts no character in half', () => {
    expect(render({ ...PLAIN_EVENT, sender: '\u0000'.repeat(9) }, { width: 17 })).toBe('12:00:05  \\u0000…');
    expect(render({ ...PLAIN_EVENT, sender: '🐈'.repeat(9) }, { width: 13 })).toBe('12:00:05  🐈🐈…');
  });

  it('paints the columns, and the user ID of our own homeserver in a way of its own', () => {
    const palette = {
      ...PLAIN_PALETTE,
      faint: mark('faint'),
      good: mark('good'),
      name: mark('name'),
      strong: mark('strong'),
    };
    expect(render(PLAIN_EVENT, { palette })).toBe(
      '<faint 12:00:05>  <good @:example.org>  <strong org.example.a>  {"a":1}',
    );
    expect(render({ ...PLAIN_EVENT, sender: '@:example.com' }, { palette, width: 26 })).toBe(
      '<faint 12:00:05>  <name @:example.com>  <strong …>',
    );
  });
});

function mark(name: string): (text: string) => string {
  return (text) => `<${name} ${text}>`;
}
