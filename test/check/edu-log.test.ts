import { describe, expect, it } from 'vitest';
import { EduLog } from '../../src/check/edu-log.js';
import { systemClock } from '../../src/clock.js';
import { jsonTextOf, parseJson, stringMember, type JsonNode } from '../../src/wire/json.js';

const edu = (name: string) => parseJson(jsonTextOf({ edu_type: 'org.example.edu', name }));
const named = (name: string) => (heard: JsonNode) =>
  stringMember(heard, 'name') === name ? name : undefined;

describe('the log of what another server sent', () => {
  it('keeps EDUs in order, and a transaction once', () => {
    const told: string[] = [];
    const log = new EduLog(systemClock, (text) => told.push(text));
    log.keep('t1', [edu('a'), edu('b')]);
    log.keep('t1', [edu('a'), edu('b')]);
    log.keep('t2', [edu('c'), parseJson('7')]);
    expect(told.at(-1)).toBe('7');
    expect(told).toHaveLength(4);
    expect(log.all.map((each) => stringMember(each, 'name'))).toEqual(['a', 'b', 'c', undefined]);
  });

  it('does not grow for ever', () => {
    const log = new EduLog(systemClock);
    for (let n = 0; n < 102; n += 1)
      log.keep(
        `t${String(n)}`,
        Array.from({ length: 100 }, () => edu('a')),
      );
    expect(log.all).toHaveLength(10_000);

    const long = new EduLog(systemClock);
    for (let n = 0; n < 5; n += 1) long.keep(`t${String(n)}`, [edu('a'.repeat(8 * 1024 * 1024))]);
    long.keep('later', [edu('b')]);
    expect(long.all).toHaveLength(3);
  });

  it('finds what came, and waits for what is to come', async () => {
    const log = new EduLog(systemClock);
    log.keep('t1', [edu('a'), edu('b')]);
    expect(await log.first(named('b'), 0)).toBe('b');
    const waiting = log.first(named('d'), 60_000);
    log.keep('t2', [edu('c')]);
    log.keep('t3', [edu('d')]);
    expect(await waiting).toBe('d');
  });

  it('waits no longer than it is told', async () => {
    const log = new EduLog(systemClock);
    expect(await log.first(named('a'), 1)).toBeUndefined();
    const calling = new AbortController();
    const waiting = log.first(named('a'), 60_000, calling.signal);
    calling.abort(new Error('called off'));
    await expect(waiting).rejects.toThrow('called off');
  });
});
