import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eduCountFor, outboxDelayMs } from '../../src/federation/outbox-plan.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { jsonTextOf } from '../../src/wire/json.js';
import { encodeTransaction } from '../../src/wire/transaction.js';

const header = { origin: parseServerName('example.org'), originServerTsMs: 1_700_000_000_000 };
const small = jsonTextOf({ edu_type: 'x' });

describe('eduCountFor', () => {
  it.each([
    [1, true, 1],
    [100, true, 100],
    [250, true, 100],
    [250, false, 1],
  ])('of %i small EDUs, to a server that has taken some (%s), %i go', (waiting, hasTakenSome, count) => {
    expect(eduCountFor(Array(waiting).fill(small), header, hasTakenSome)).toBe(count);
  });

  it('fills a body to the last byte', () => {
    const room = 65_536 - Buffer.byteLength(encodeTransaction({ ...header, edus: [] }));
    const sized = (bytes: number) => jsonTextOf('é'.repeat((bytes - 2) / 2));
    const half = (room - 1) / 2;
    const even = half % 2 === 0 ? half : half - 1;
    const rest = room - 1 - even;
    const fits = [sized(even), jsonTextOf('a'.repeat(rest - 2))];
    expect(Buffer.byteLength(encodeTransaction({ ...header, edus: fits }))).toBe(65_536);
    expect(eduCountFor(fits, header, true)).toBe(2);
    expect(eduCountFor([sized(even), jsonTextOf('a'.repeat(rest - 1))], header, true)).toBe(1);
  });

  it('sends an EDU that is as large as a body may be, alone', () => {
    const large = jsonTextOf('a'.repeat(65_534));
    expect(eduCountFor([large, small], header, true)).toBe(1);
  });

  it('never has more than 65 536 bytes of several', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30_000), { minLength: 1, maxLength: 150 }), (lengths) => {
        const edus = lengths.map((length) => jsonTextOf('a'.repeat(length)));
        const count = eduCountFor(edus, header, true);
        const bytes = (wanted: number) =>
          Buffer.byteLength(encodeTransaction({ ...header, edus: edus.slice(0, wanted) }));
        expect(count).toBeGreaterThan(0);
        expect(count).toBeLessThanOrEqual(100);
        if (count > 1) expect(bytes(count)).toBeLessThanOrEqual(65_536);
        if (count < Math.min(100, edus.length)) expect(bytes(count + 1)).toBeGreaterThan(65_536);
      }),
    );
  });
});

describe('outboxDelayMs', () => {
  it('doubles up to an hour', () => {
    const delays = [1, 2, 3, 4, 12, 13, 14, 1000].map((failures) => outboxDelayMs(failures, 0) / 1000);
    expect(delays).toEqual([1, 2, 4, 8, 2048, 3600, 3600, 3600]);
  });

  it('is by chance up to half as long', () => {
    expect(outboxDelayMs(1, 0.5)).toBe(750);
    expect(outboxDelayMs(20, 0.999_999)).toBe(1_800_002);
  });

  it('is longer if the server asks for it, within an hour', () => {
    expect(outboxDelayMs(1, 0, 5000)).toBe(5000);
    expect(outboxDelayMs(5, 0, 5000)).toBe(16_000);
    expect(outboxDelayMs(1, 0, 1e12)).toBe(3_600_000);
  });
});
