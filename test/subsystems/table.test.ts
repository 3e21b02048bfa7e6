import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { InvalidInputError, UsageError } from '../../src/errors.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseUserId } from '../../src/ids/user-id.js';
import type { NatsService } from '../../src/subsystems/nats.js';
import { openTable, parseHandlerRule, queueRulesOf } from '../../src/subsystems/table.js';
import { compactJson } from '../../src/wire/json.js';

describe('parseHandlerRule', () => {
  it.each([
    ['*=echo', { glob: '*', handler: { kind: 'echo' } }],
    ['a.*=drop', { glob: 'a.*', handler: { kind: 'drop' } }],
    [
      'a=reply:{"n": 123456789012345678901}',
      { glob: 'a', handler: { kind: 'reply', content: '{"n":123456789012345678901}' } },
    ],
    ['a=exec:x=1; echo "$x"', { glob: 'a', handler: { kind: 'exec', command: 'x=1; echo "$x"' } }],
    ['a=http://h.test:1/p?q=1', { glob: 'a', handler: { kind: 'webhook', url: 'http://h.test:1/p?q=1' } }],
    ['a=https://h.test', { glob: 'a', handler: { kind: 'webhook', url: 'https://h.test/' } }],
    [
      'a=nats://h.test/x.y',
      { glob: 'a', handler: { kind: 'nats', service: { host: 'h.test', port: 4222, subject: 'x.y' } } },
    ],
    ['a=validate:mls', { glob: 'a', handler: { kind: 'validate', validator: 'mls' } }],
    ['a=validate:report', { glob: 'a', handler: { kind: 'validate', validator: 'report' } }],
  ])('reads %s', (text, rule) => {
    expect(parseHandlerRule(text)).toEqual(rule);
  });

  it.each([
    ['a', UsageError, 'is not GLOB=HANDLER'],
    ['=echo', UsageError, 'is not GLOB=HANDLER'],
    ['a=', UsageError, 'is no handler'],
    ['a=Echo', UsageError, 'is no handler'],
    ['a=exec:', UsageError, 'is no handler'],
    ['a=ftp://h.test', UsageError, 'is no handler'],
    ['a=http:', InvalidInputError, 'is no URL'],
    ['a=nats:', InvalidInputError, 'names no subject'],
    ['a=https://user:secret@h.test/', UsageError, 'no user name or password'],
    ['a=nats://user:secret@h.test/x', UsageError, 'no user name or password'],
    ['a=validate:', UsageError, 'there is no validator'],
    ['a=validate:all', UsageError, 'there is no validator'],
    ['a=reply:{', InvalidInputError, 'not JSON'],
    ['a=reply:[]', InvalidInputError, 'no JSON object'],
  ])('refuses %s', (text, kind, why) => {
    expect(() => parseHandlerRule(text)).toThrow(kind);
    expect(() => parseHandlerRule(text)).toThrow(why);
  });

  it.each([
    'a=https://user:secret@h.test/x',
    'a=nats://user:secret@h.test/x',
    'a=htp://user:secret@h.test/x',
    'a=http://user:secret@[',
    'htp://user:secret@h.test/x',
  ])('repeats no secret of %s', (text) => {
    expect(() => parseHandlerRule(text)).toThrow(/^--on: (?!.*secret)/);
  });
});

describe('openTable', () => {
  const tools = {
    server: parseServerName('hs.test'),
    clock: systemClock,
    env: {},
    exchange: () => Promise.reject(new Error('no network')),
    natsRequest: async ({ host, subject }: NatsService) => `{"content":{"from":"${subject} at ${host}"}}`,
  };

  /** What the handler of a type answers to it; `none` where there is no handler. */
  async function answer(rules: string[], type: string): Promise<string | undefined> {
    const handler = openTable(rules.map(parseHandlerRule), tools)(type);
    if (handler === undefined) return 'none';
    const sender = parseUserId('@a:hs.test');
    const content = compactJson('{"nonce":"n"}');
    const message = { sender, type, content, deviceId: undefined, via: 'client' } as const;
    const answers = [(await handler(message, new AbortController().signal)) ?? []].flat();
    return answers[0]?.content;
  }

  it.each([
    [['a=reply:{"n":1}', '*=reply:{"n":2}'], 'a', '{"n":1}'],
    [['*=reply:{"n":2}', 'a=reply:{"n":1}'], 'a', '{"n":2}'],
    [['a=reply:{"n":1}', '*=reply:{"n":2}'], 'b', '{"n":2}'],
    [['a=drop', '*=reply:{"n":2}'], 'a', 'none'],
    [['a.*=echo'], 'b', 'none'],
    [['a.*=echo'], 'a.b', '{"nonce":"n"}'],
    [['a=nats://h.test/x.y'], 'a', '{"from":"x.y at h.test"}'],
    [['a=validate:mls'], 'a', '{"reason":"content.message: missing"}'],
  ])('%j: the first that matches %s wins', async (rules, type, expected) => {
    expect(await answer(rules, type)).toBe(expected);
  });

  it('answers mx2s.ping below all rules', async () => {
    expect(await answer([], 'mx2s.ping')).toContain('"server":"hs.test"');
    expect(await answer(['mx2s.*=drop'], 'mx2s.ping')).toBe('none');
  });
});

describe('queueRulesOf', () => {
  it.each([
    ['takes part where a rule below has the same pattern', ['*=nats://h/a', '*=echo'], ['a'], ['*']],
    ['not where that one is above', ['*=echo', '*=nats://h/a'], [], ['*']],
    ['not where none is', ['*=nats://h/a'], [], []],
    ['not where the pattern is another', ['a.*=nats://h/a', '*=echo'], [], ['*']],
    ['not where that one hands over, too', ['*=nats://h/a', '*=nats://h/b'], [], []],
    [
      'in several, once each',
      ['a=nats://h/x', 'b=nats://h/x', 'c=nats://h/y', 'd=nats://h/z', 'c=echo', 'b=drop', 'a=echo'],
      ['x', 'y'],
      ['c', 'b', 'a'],
    ],
  ])('%s', (_what, texts, subjects, globs) => {
    const { services, rules } = queueRulesOf(texts.map(parseHandlerRule));
    expect(services.map(({ subject }) => subject)).toEqual(subjects);
    expect(rules.map(({ glob }) => glob)).toEqual(globs);
  });
});
