/**
 * Runs probes in the order of their requirements and tells each result as soon as it is known. It prints nothing, and
 * no probe keeps it longer than its time.
 */
import type { Clock } from '../clock.js';
import { Mx2sError, NetworkError } from '../errors.js';
import type { Bench } from './bench.js';
import { isTokenRefused } from './judging.js';
import {
  VERDICTS,
  inconclusive,
  skipped,
  type Finding,
  type Need,
  type Probe,
  type Verdict,
} from './probe.js';
import { BASES, requirementOf, type Basis, type RequirementId } from './requirements.js';

/** What is known of a requirement: its findings, put together. */
export interface Result {
  readonly requirement: RequirementId;
  readonly verdict: Verdict;
  /** Whose demand decided. */
  readonly basis: Basis;
  /** What was seen, in one line; may hold text of the server. */
  readonly seen: string;
  readonly elapsedMs: number;
}

export interface Run {
  /** What to look at, in the order in which it is told. */
  readonly requirements: readonly RequirementId[];
  readonly probes: readonly Probe[];
  readonly bench: Bench;
  /** How long one probe may take. */
  readonly probeTimeoutMs: number;
  /** How long all of them together may. */
  readonly runTimeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told before a requirement is looked at. */
  begin(requirement: RequirementId): void;
  /** Told the result, in order. */
  report(result: Result): Promise<void>;
}

/**
 * Runs them all.
 * @throws what `report` throws; the signal's reason; MatrixError when our access token is refused; NetworkError when
 *   the server did not answer two probes in a row
 */
export async function runChecks(run: Run): Promise<void> {
  const endMs = run.clock.monotonic() + run.runTimeoutMs;
  let unreachable = 0;
  for (const requirement of run.requirements) {
    run.begin(requirement);
    const startedMs = run.clock.monotonic();
    const looks: Look[] = [];
    for (const probe of run.probes.filter((each) => each.requirement === requirement)) {
      const finding = missing(probe, run.bench) ?? (await findingOf(probe, run, endMs));
      unreachable = finding instanceof NetworkError ? unreachable + 1 : 0;
      if (finding instanceof NetworkError && unreachable > 1) throw finding;
      looks.push({
        part: probe.part,
        finding: finding instanceof NetworkError ? inconclusive(finding.message) : finding,
      });
    }
    await run.report({ ...merge(requirement, looks), elapsedMs: run.clock.monotonic() - startedMs });
  }
}

/** What one probe of several looked at, and what it found. */
export interface Look {
  readonly part: string | undefined;
  readonly finding: Finding;
}

/**
 * One result of several looks: a `fail` outweighs all, then `inconclusive`, then `pass`. What was not looked at is said
 * beside what was.
 */
export function merge(requirement: RequirementId, looks: readonly Look[]): Omit<Result, 'elapsedMs'> {
  const { basis, provable, why } = requirementOf(requirement);
  if (looks.length === 0) {
    const reason = provable === 'never' && why !== undefined ? why : 'no probe looks at it';
    return { requirement, verdict: 'skipped', basis, seen: reason };
  }
  const verdict = WEIGHT.find((each) => looks.some(({ finding }) => finding.verdict === each)) ?? 'skipped';
  const deciding = looks.filter(({ finding }) => finding.verdict === verdict);
  const bases = deciding.map(({ finding }) => finding.basis ?? basis);
  return {
    requirement,
    verdict,
    basis: BASES.find((each) => bases.includes(each)) ?? basis,
    seen: wordsOf(looks, verdict),
  };
}

/** What the looks saw, that which decided first; beside a fail nothing else matters. */
function wordsOf(looks: readonly Look[], verdict: Verdict): string {
  const told = verdict === 'fail' ? [verdict] : [verdict, ...VERDICTS.filter((each) => each !== verdict)];
  return told
    .flatMap((each) => {
      const same = looks.filter(({ finding }) => finding.verdict === each);
      return [...new Set(same.map(({ finding }) => finding.seen))].map((seen) => {
        const parts = same.filter(({ finding }) => finding.seen === seen).flatMap(({ part }) => part ?? []);
        if (looks.length === 1 || parts.length === 0) return seen;
        return each === 'skipped' && verdict !== 'skipped'
          ? `not looked at: ${parts.join(', ')} (${seen})`
          : `${parts.join(', ')}: ${seen}`;
      });
    })
    .join('; ');
}

/** The finding in place of a probe that lacks something. */
function missing({ needs }: Probe, bench: Bench): Finding | undefined {
  const lacking = needs.find((need) => !has(bench, need));
  return lacking && skipped(NEED_WORDS[lacking]);
}

function has(bench: Bench, need: Need): boolean {
  switch (need) {
    case 'other':
      return bench.other !== undefined;
    case 'federation':
      return bench.second !== undefined;
    case 'registration':
      return bench.mayRegister;
  }
}

async function findingOf(probe: Probe, run: Run, endMs: number): Promise<Finding | NetworkError> {
  const { bench, clock, probeTimeoutMs, runTimeoutMs, signal } = run;
  const timeoutMs = Math.min(probeTimeoutMs, endMs - clock.monotonic());
  if (timeoutMs <= 0) return inconclusive(`not looked at: the run has taken ${runTimeoutMs / 1000} s`);
  const over = new AbortController();
  const ended = new AbortController();
  clock
    .sleep(timeoutMs, ended.signal)
    .then(() => over.abort())
    .catch(() => undefined);
  try {
    return await probe.run(bench, AbortSignal.any([signal, over.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (over.signal.aborted) return inconclusive(`not done within ${Math.ceil(timeoutMs / 1000)} s`);
    if (error instanceof NetworkError) return error;
    if (!(error instanceof Mx2sError) || isTokenRefused(error)) throw error;
    return inconclusive(error.message);
  } finally {
    ended.abort();
  }
}

/** The heavier first. */
const WEIGHT = ['fail', 'inconclusive', 'pass'] as const satisfies readonly Verdict[];
const NEED_WORDS = {
  other: 'needs a second account: --other PROFILE, or MX2S_OTHER_ACCESS_TOKEN',
  federation: 'needs --federation',
  registration: 'needs --allow-register',
} as const satisfies Record<Need, string>;
