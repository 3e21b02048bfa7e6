import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, nextDigest, readPosition, writePosition } from '../../src/config/position.js';
import { DiskError } from '../../src/errors.js';
import type { ToDeviceEvent } from '../../src/wire/sync.js';
import { compactJson } from '../../src/wire/json.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mx2s-position-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('the stored position', () => {
  it.each([
    { api: 'v3', since: 's72_1', consumed: 2, digest: 'abc' },
    { api: 'sliding', since: undefined, consumed: 0, digest: undefined },
  ] as const)('comes back as it was written: %j', (position) => {
    const file = join(directory, 'positions', 'one.json');
    writePosition(file, position);
    expect(readPosition(file)).toEqual(position);
  });

  it('replaces the one before and leaves nothing beside it', () => {
    const file = join(directory, 'one.json');
    writePosition(file, { api: 'v3', since: 'a', consumed: 0 });
    writePosition(file, { api: 'v3', since: 'b', consumed: 0 });
    expect(readPosition(file)?.since).toBe('b');
    expect(readdirSync(directory)).toEqual(['one.json']);
  });

  it('is for its owner only', () => {
    const file = join(directory, 'positions', 'one.json');
    writePosition(file, { api: 'v3', since: 'a', consumed: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'positions')).mode & 0o777).toBe(0o700);
  });

  it('is none where there is no file', () => {
    expect(readPosition(join(directory, 'none.json'))).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"v":1,"api":"v3"'],
    ['no object', '[1]'],
    ['another version', '{"v":2,"api":"v3","since":"a","consumed":0}'],
    ['another API', '{"v":1,"api":"v5","since":"a","consumed":0}'],
    ['no count', '{"v":1,"api":"v3","since":"a"}'],
    ['a negative count', '{"v":1,"api":"v3","since":"a","consumed":-1,"digest":"x"}'],
    ['half an event', '{"v":1,"api":"v3","since":"a","consumed":1.5,"digest":"x"}'],
    ['a count without digest', '{"v":1,"api":"v3","since":"a","consumed":1}'],
  ])('is none where the file holds %s', (_name, text) => {
    const file = join(directory, 'one.json');
    writeFileSync(file, text);
    expect(readPosition(file)).toBeUndefined();
  });

  it('is none where the file is no file', () => {
    mkdirSync(join(directory, 'one.json'));
    expect(readPosition(join(directory, 'one.json'))).toBeUndefined();
  });

  it('that cannot be written is a disk error', () => {
    writeFileSync(join(directory, 'positions'), '');
    const file = join(directory, 'positions', 'one.json');
    expect(() => writePosition(file, { api: 'v3', since: 'a', consumed: 0 })).toThrow(DiskError);
  });
});

describe('the digest', () => {
  const event = (sender: string | undefined, type: string | undefined, content: string): ToDeviceEvent => ({
    sender,
    type,
    content: compactJson(content),
  });
  const one = event('@:example.org', 'org.example.a', '{"n":1}');

  it('is none of no events', () => {
    expect(digestOf([])).toBeUndefined();
  });

  it('runs: the digest of all is that of the last after the digest of those before', () => {
    const two = event('@:example.org', 'org.example.b', '{"n":2}');
    expect(digestOf([one, two])).toBe(nextDigest(digestOf([one]), two));
    expect(digestOf([one, two])).not.toBe(digestOf([two, one]));
  });

  it.each([
    ['sender', event('@:example.com', 'org.example.a', '{"n":1}')],
    ['type', event('@:example.org', 'org.example.b', '{"n":1}')],
    ['content', event('@:example.org', 'org.example.a', '{"n":1.0}')],
    ['absence of a sender', event(undefined, 'org.example.a', '{"n":1}')],
    ['place where a field ends', event('@:example.orgorg.example.', 'a', '{"n":1}')],
  ])('depends on the %s', (_name, other) => {
    expect(digestOf([other])).not.toBe(digestOf([one]));
  });

  it('keeps lone surrogates apart', () => {
    expect(digestOf([event('\ud800', 'a', '{}')])).not.toBe(digestOf([event('\ud801', 'a', '{}')]));
  });
});
