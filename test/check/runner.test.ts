import { describe, expect, it } from 'vitest';
import type { Bench } from '../../src/check/bench.js';
import { fail, inconclusive, pass, skipped, type Finding, type Probe } from '../../src/check/probe.js';
import type { RequirementId } from '../../src/check/requirements.js';
import { merge, runChecks, type Look, type Result, type Run } from '../../src/check/runner.js';
import { systemClock, type Clock } from '../../src/clock.js';
import { InterruptedError, MatrixError, NetworkError, RateLimitedError } from '../../src/errors.js';

const REQUEST = { method: 'PUT', url: 'http://hs.test/x' };
const NO_ANSWER = new NetworkError(REQUEST, 'nobody is there');

function probe(requirement: RequirementId, run: () => Promise<Finding>, more: Partial<Probe> = {}): Probe {
  return { requirement, needs: [], run, ...more };
}

/** Runs probes over, and gives what was told. */
async function told(probes: readonly Probe[], options: Partial<Run> & { bench?: Bench } = {}) {
  const begun: RequirementId[] = [];
  const results: Omit<Result, 'elapsedMs'>[] = [];
  await runChecks({
    requirements: ['R-9', 'R-10'],
    probes,
    bench: {} as Bench,
    probeTimeoutMs: 60_000,
    runTimeoutMs: 600_000,
    clock: systemClock,
    signal: new AbortController().signal,
    begin: (requirement) => begun.push(requirement),
    report: async ({ elapsedMs, ...result }) => {
      expect(elapsedMs).toBeGreaterThanOrEqual(0);
      results.push(result);
    },
    ...options,
  });
  return { begun, results };
}

describe('a run', () => {
  it('tells one result for each requirement, in order', async () => {
    const { begun, results } = await told([
      probe('R-10', async () => fail('b')),
      probe('R-9', async () => pass('a')),
      probe('R-11', async () => pass('c')),
    ]);
    expect(begun).toEqual(['R-9', 'R-10']);
    expect(results).toEqual([
      { requirement: 'R-9', verdict: 'pass', basis: 'proposal', seen: 'a' },
      { requirement: 'R-10', verdict: 'fail', basis: 'proposal', seen: 'b' },
    ]);
  });

  it.each([
    ['other', 'needs a second account: --other PROFILE, or MX2S_OTHER_ACCESS_TOKEN'],
    ['federation', 'needs --federation'],
    ['registration', 'needs --allow-register'],
  ] as const)('skips a probe that lacks %s', async (need, seen) => {
    const probes = [probe('R-9', async () => pass('a'), { needs: [need] })];
    const { results } = await told(probes, { requirements: ['R-9'] });
    expect(results).toMatchObject([{ verdict: 'skipped', seen }]);
    const bench = { other: {}, second: {}, mayRegister: true } as Bench;
    expect((await told(probes, { requirements: ['R-9'], bench })).results).toMatchObject([
      { verdict: 'pass' },
    ]);
  });

  it('makes what is thrown inconclusive, with the words of the error', async () => {
    const refused = new MatrixError({ ...REQUEST, status: 403, errcode: 'M_FORBIDDEN' }, 'refused');
    const limited = new RateLimitedError({ retryAfterMs: 1, status: 429, errcode: undefined }, 'limited');
    const { results } = await told([
      probe('R-9', () => Promise.reject(refused)),
      probe('R-10', () => Promise.reject(limited)),
    ]);
    expect(results).toMatchObject([
      { verdict: 'inconclusive', seen: 'refused' },
      { verdict: 'inconclusive', seen: 'limited' },
    ]);
  });

  it('ends when our token is refused, and by a bug', async () => {
    const facts = { ...REQUEST, status: 401, errcode: 'M_UNKNOWN_TOKEN' };
    const refused = new MatrixError({ ...facts, authenticated: true }, 'refused');
    for (const error of [refused, new TypeError('a bug')]) {
      await expect(told([probe('R-9', () => Promise.reject(error))])).rejects.toBe(error);
    }
  });

  it('goes on when the server does not answer once, and ends when it does not twice in a row', async () => {
    const silent = probe('R-9', () => Promise.reject(NO_ANSWER));
    const { results } = await told([
      silent,
      probe('R-9', async () => pass('a')),
      { ...silent, requirement: 'R-10' },
    ]);
    expect(results).toMatchObject([
      { verdict: 'inconclusive' },
      { verdict: 'inconclusive', seen: 'nobody is there' },
    ]);
    await expect(told([silent, { ...silent, requirement: 'R-10' }])).rejects.toBe(NO_ANSWER);
  });

  it('gives a probe so much time', async () => {
    let giveUp: () => void = () => undefined;
    const clock: Clock = { ...systemClock, sleep: () => new Promise((resolve) => (giveUp = resolve)) };
    const endless: Probe = {
      requirement: 'R-9',
      needs: [],
      run: (_bench, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          giveUp();
        }),
    };
    const { results } = await told([endless, probe('R-10', async () => pass('b'))], {
      clock,
      probeTimeoutMs: 2000,
    });
    expect(results).toMatchObject([
      { verdict: 'inconclusive', seen: 'not done within 2 s' },
      { verdict: 'pass' },
    ]);
  });

  it('takes so much time, and looks at nothing more after it', async () => {
    let nowMs = 0;
    const waits: number[] = [];
    const clock: Clock = {
      ...systemClock,
      monotonic: () => nowMs,
      sleep: (ms) => {
        waits.push(ms);
        return new Promise(() => undefined);
      },
    };
    const slow = async () => {
      nowMs += 50_000;
      return pass('a');
    };
    const { results } = await told(
      [probe('R-9', slow), probe('R-10', slow), probe('R-11', slow), probe('R-12', slow)],
      { clock, requirements: ['R-9', 'R-10', 'R-11', 'R-12'], runTimeoutMs: 120_000 },
    );
    expect(waits).toEqual([60_000, 60_000, 20_000]);
    expect(results).toMatchObject([
      ...Array<object>(3).fill({ verdict: 'pass' }),
      { verdict: 'inconclusive', seen: 'not looked at: the run has taken 120 s' },
    ]);
  });

  it('ends with the signal', async () => {
    const stop = new AbortController();
    const reason = new InterruptedError('SIGINT');
    const interrupted = probe('R-9', async () => {
      stop.abort(reason);
      throw NO_ANSWER;
    });
    await expect(told([interrupted], { signal: stop.signal })).rejects.toBe(reason);
  });
});

describe('several looks at one requirement', () => {
  const look = (part: string | undefined, finding: Finding): Look => ({ part, finding });

  it.each<[string, readonly Look[], Pick<Result, 'verdict' | 'seen'>]>([
    ['one', [look('a', pass('x'))], { verdict: 'pass', seen: 'x' }],
    ['two that pass', [look('a', pass('x')), look('b', pass('y'))], { verdict: 'pass', seen: 'a: x; b: y' }],
    [
      'two that saw the same',
      [look('a', pass('x')), look('b', pass('x'))],
      { verdict: 'pass', seen: 'a, b: x' },
    ],
    [
      'a part that was not looked at',
      [look('a', pass('x')), look('b', skipped('needs c'))],
      { verdict: 'pass', seen: 'a: x; not looked at: b (needs c)' },
    ],
    [
      'no part that was looked at',
      [look('a', skipped('needs c')), look('b', skipped('needs c'))],
      { verdict: 'skipped', seen: 'a, b: needs c' },
    ],
    [
      'what is inconclusive before what passes',
      [look('a', pass('x')), look('b', inconclusive('y'))],
      { verdict: 'inconclusive', seen: 'b: y; a: x' },
    ],
    [
      'a fail, beside which nothing matters',
      [look('a', pass('x')), look('b', fail('y')), look('c', inconclusive('z')), look('d', skipped('s'))],
      { verdict: 'fail', seen: 'b: y' },
    ],
    [
      'parts without a name',
      [look(undefined, pass('x')), look(undefined, pass('y'))],
      { verdict: 'pass', seen: 'x; y' },
    ],
  ])('%s', (_name, looks, expected) => {
    expect(merge('R-9', looks)).toEqual({ requirement: 'R-9', basis: 'proposal', ...expected });
  });

  it.each<[string, readonly Finding[], string]>([
    ['the requirement', [fail('x')], 'reading'],
    ['what decided', [fail('x', 'spec')], 'spec'],
    ['the stronger of two', [fail('x'), fail('y', 'proposal')], 'proposal'],
    ['nothing that did not decide', [pass('x'), fail('y', 'reading')], 'reading'],
  ])('have the basis of %s', (_name, findings, basis) => {
    expect(
      merge(
        'R-17',
        findings.map((finding) => look(undefined, finding)),
      ).basis,
    ).toBe(basis);
  });

  it('are none where nothing can be seen', () => {
    expect(merge('R-31', [])).toEqual({
      requirement: 'R-31',
      verdict: 'skipped',
      basis: 'proposal',
      seen: 'what a server stores and never shows cannot be seen from outside',
    });
  });
});
