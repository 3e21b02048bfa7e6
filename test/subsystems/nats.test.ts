import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { createNats, parseNatsUrl, renderNatsUrl } from '../../src/subsystems/nats.js';
import { MESSAGE, MESSAGE_LINE } from './message.js';

const SERVICE = { host: 'h.test', port: 4222, subject: 'a.b' };

describe('parseNatsUrl', () => {
  it.each([
    ['nats://h.test/a', { host: 'h.test', port: 4222, subject: 'a' }],
    ['nats://h.test:4333/a.b.c', { host: 'h.test', port: 4333, subject: 'a.b.c' }],
    ['nats://127.0.0.1:1/a', { host: '127.0.0.1', port: 1, subject: 'a' }],
    ['nats://[::1]:4333/a', { host: '::1', port: 4333, subject: 'a' }],
    ['nats://h.test/$SRV.a*b/c>', { host: 'h.test', port: 4222, subject: '$SRV.a*b/c>' }],
    ['nats://h.test/%C3%A9%23%3F', { host: 'h.test', port: 4222, subject: 'é#?' }],
  ])('reads %s', (text, service) => {
    expect(parseNatsUrl(text)).toEqual(service);
    expect(parseNatsUrl(renderNatsUrl(service))).toEqual(service);
  });

  it.each([
    ['no host', 'nats:///a'],
    ['no subject', 'nats://h.test'],
    ['no subject after the slash', 'nats://h.test/'],
    ['an empty token', 'nats://h.test/a..b'],
    ['a wildcard', 'nats://h.test/a.*'],
    ['a wildcard for the rest', 'nats://h.test/%3E'],
    ['a space', 'nats://h.test/a%20b'],
    ['a line end', 'nats://h.test/a%0d%0aPUB'],
    ['bad encoding', 'nats://h.test/%zz'],
    ['a query', 'nats://h.test/a?b'],
    ['a fragment', 'nats://h.test/a#b'],
  ])('refuses %s', (_what, text) => {
    expect(() => parseNatsUrl(text)).toThrow(InvalidInputError);
    expect(() => parseNatsUrl(text)).toThrow('names no subject of a NATS server');
  });
});

describe('createNats', () => {
  it('sends one line of JSON, and takes the answer from the reply', async () => {
    const sent: unknown[] = [];
    const handler = createNats(SERVICE, async (service, text) => {
      sent.push({ service, text });
      return '{"type":"org.example.y","content":{"n":123456789012345678901}}';
    });
    expect(await handler(MESSAGE, new AbortController().signal)).toEqual([
      { type: 'org.example.y', content: '{"n":123456789012345678901}' },
    ]);
    expect(sent).toEqual([{ service: SERVICE, text: MESSAGE_LINE }]);
  });

  it('takes an empty reply for no answer', async () => {
    const handler = createNats(SERVICE, async () => '\n');
    expect(await handler(MESSAGE, new AbortController().signal)).toBeUndefined();
  });

  it('fails for another reply', async () => {
    const handler = createNats(SERVICE, async () => '{}');
    await expect(handler(MESSAGE, new AbortController().signal)).rejects.toThrow('no object under "content"');
  });
});
