import { describe, expect, it } from 'vitest';
import { PLAIN_PALETTE } from '../../../src/ui/palette.js';
import {
  renderBench,
  type BenchResult,
  type ListenBenchResult,
  type SendBenchResult,
  type ServeBenchResult,
  type ValidateBenchResult,
} from '../../../src/ui/render/bench.js';

const RUN = { v: 1, ended: 'count', elapsed_ms: 9900, rate: 10.101 } as const;
const TIMED = {
  ...RUN,
  count: 100,
  concurrency: 1,
  failed: 0,
  unanswered: 0,
} as const;
const LATENCY = { min: 0.123, mean: 3, p50: 1.26, p90: 12.34, p99: 123.4, max: 1234.5 };
const SEND: SendBenchResult = {
  ...TIMED,
  bench: 'send',
  homeserver: 'https://example.org',
  to: '@:example.org',
  device: '',
  type: 't',
  accepted: 100,
};
const LISTEN: ListenBenchResult = {
  ...SEND,
  bench: 'listen',
  from: '@bob:example.org',
  to: '@alice:example.org',
  device: 'D',
  received: 100,
  missing: 0,
};
const SERVE: ServeBenchResult = { ...TIMED, bench: 'serve', rounds: 100, requests_per_round: 2 };
const VALIDATE: ValidateBenchResult = {
  ...RUN,
  bench: 'validate',
  source: 'generated',
  kind: 'user',
  grammar: 'msc4246',
  total: 1000,
  valid: 800,
  invalid: 200,
  bytes: 25_000,
  rate: 1_234_567.8,
};

describe('the first line', () => {
  it.each<[BenchResult, string]>([
    [SEND, '100 of 100 messages to @:example.org accepted in 9.90 s: 10.1/s'],
    [
      { ...SEND, accepted: 97, failed: 1, unanswered: 2, rate_limit: 10 },
      '97 of 100 messages to @:example.org accepted in 9.90 s: 10.1/s (at most 10/s), 1 failed, 2 unanswered',
    ],
    [LISTEN, '100 of 100 messages read by @alice:example.org in 9.90 s: 10.1/s'],
    [
      { ...LISTEN, received: 98, missing: 2 },
      '98 of 100 messages read by @alice:example.org in 9.90 s: 10.1/s, 2 did not come',
    ],
    [SERVE, '100 of 100 rounds over 1 connection in 9.90 s: 10.1/s'],
    [VALIDATE, '1000 identifiers (800 valid, 200 not) in 9.90 s: 1234568/s'],
  ])('%#', (result, expected) => {
    expect(renderBench(result, [], PLAIN_PALETTE).split('\n')[0]).toBe(expected);
  });

  it('escapes what a homeserver may have said', () => {
    const line = renderBench({ ...LISTEN, to: '@a\u001b[2J:b' }, [], PLAIN_PALETTE);
    expect(line).toContain('@a\\u001b[2J:b');
    expect(line).not.toContain('\u001b');
  });
});

it('latency has three digits, and a picture in which the fullest row is the longest', () => {
  const rows = [
    { uptoMs: 0.5, count: 1 },
    { uptoMs: 20, count: 0 },
    { uptoMs: 1300, count: 4 },
  ];
  expect(
    renderBench({ ...SEND, latency_ms: LATENCY }, rows, PLAIN_PALETTE)
      .split('\n')
      .slice(1),
  ).toEqual([
    'each request took: min 0.12  p50 1.26  p90 12.3  p99 123  max 1235  ms',
    '',
    '≤ 0.50 ms  ##########                                1',
    '≤ 20.0 ms                                            0',
    '≤ 1300 ms  ########################################  4',
  ]);
});

it('nothing was done: no latency', () => {
  expect(renderBench({ ...SEND, accepted: 0, rate: 0 }, [], PLAIN_PALETTE)).toBe(
    '0 of 100 messages to @:example.org accepted in 9.90 s: 0.0/s',
  );
});
