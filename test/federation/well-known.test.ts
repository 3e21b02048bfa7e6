import { describe, expect, it } from 'vitest';
import {
  lifetimeMs,
  parseWellKnown,
  WellKnownCache,
  type WellKnownAnswer,
} from '../../src/federation/well-known.js';
import { TurnedClock } from '../http/turned-clock.js';
import { readVectorFile } from '../wire/vector-file.js';

const vectors = readVectorFile<WellKnownAnswer, { server: string; lifetime_s: number } | 'none'>(
  'federation/well-known.json',
  { top: ['now'], input: ['status', 'headers', 'body'], expect: ['server', 'lifetime_s'], words: ['none'] },
);
const nowMs = Date.parse(vectors['now'] as string);

describe('a well-known answer', () => {
  it.each(vectors.cases)('$name: $why', ({ input, expect: wanted }) => {
    const server = parseWellKnown(input);
    if (wanted === 'none') {
      expect(server).toBeUndefined();
    } else {
      expect({ server, lifetime_s: lifetimeMs(input.headers, nowMs) / 1000 }).toEqual(wanted);
    }
  });
});

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('WellKnownCache', () => {
  it('asks once in the lifetime of an answer', async () => {
    const { cache, asked, clock } = cacheOf(() => file('m.example.org', 'max-age=600'));
    expect(await cache.delegateOf('a.example')).toBe('m.example.org');
    await clock.sleep(599_999);
    expect(await cache.delegateOf('a.example')).toBe('m.example.org');
    expect(asked).toEqual(['a.example']);
    await clock.sleep(1);
    await cache.delegateOf('a.example');
    expect(asked).toEqual(['a.example', 'a.example']);
  });

  it('keeps hosts apart', async () => {
    const { cache, asked } = cacheOf((hostname) => file(`m.${hostname}`));
    expect(await cache.delegateOf('a.example')).toBe('m.a.example');
    expect(await cache.delegateOf('b.example')).toBe('m.b.example');
    expect(asked).toEqual(['a.example', 'b.example']);
  });

  it('remembers a defect for an hour', async () => {
    const { cache, asked, clock } = cacheOf(() => ({ status: 404, headers: {}, body: '' }));
    expect(await cache.delegateOf('a.example')).toBeUndefined();
    await clock.sleep(HOUR_MS - 1);
    expect(await cache.delegateOf('a.example')).toBeUndefined();
    expect(asked).toHaveLength(1);
    await clock.sleep(1);
    await cache.delegateOf('a.example');
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['no answer', () => new Error('connection refused')],
    ['a failing server', () => ({ status: 503, headers: {}, body: '' })],
  ])('remembers %s for a minute, and twice as long each time', async (_what, answer) => {
    const { cache, asked, clock } = cacheOf(answer);
    const waits = [1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * MINUTE_MS);
    for (const [index, waitMs] of waits.entries()) {
      expect(await cache.delegateOf('a.example')).toBeUndefined();
      await clock.sleep(waitMs - 1);
      await cache.delegateOf('a.example');
      expect(asked).toHaveLength(index + 1);
      await clock.sleep(1);
    }
  });

  it('starts anew after an answer', async () => {
    const answers = [
      new Error('refused'),
      new Error('refused'),
      file('m.example.org', 'max-age=1'),
      new Error('refused'),
    ];
    const { cache, asked, clock } = cacheOf(() => answers.shift() ?? file('m.example.org'));
    for (const waitMs of [MINUTE_MS, 2 * MINUTE_MS, 1000, MINUTE_MS]) {
      await cache.delegateOf('a.example');
      await clock.sleep(waitMs);
    }
    expect(await cache.delegateOf('a.example')).toBe('m.example.org');
    expect(asked).toHaveLength(5);
  });

  it('gives one answer to all who ask meanwhile', async () => {
    const { cache, asked } = cacheOf(() => file('m.example.org'));
    const all = await Promise.all(Array.from({ length: 10 }, () => cache.delegateOf('a.example')));
    expect(new Set(all)).toEqual(new Set(['m.example.org']));
    expect(asked).toHaveLength(1);
  });

  it('forgets what it asked longest ago when there is too much', async () => {
    const { cache, asked } = cacheOf(() => file('m.example.org'), 2);
    for (const host of ['a', 'b', 'c', 'b', 'a']) await cache.delegateOf(host);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
  });
});

function file(server: string, cacheControl?: string): WellKnownAnswer {
  const headers = cacheControl === undefined ? {} : { 'cache-control': cacheControl };
  return { status: 200, headers, body: JSON.stringify({ 'm.server': server }) };
}

function cacheOf(answer: (hostname: string) => WellKnownAnswer | Error, maxEntries?: number) {
  const asked: string[] = [];
  const clock = new TurnedClock(nowMs);
  const cache = new WellKnownCache(
    (hostname) => {
      asked.push(hostname);
      const given = answer(hostname);
      return given instanceof Error ? Promise.reject(given) : Promise.resolve(given);
    },
    clock,
    maxEntries,
  );
  return { cache, asked, clock };
}
