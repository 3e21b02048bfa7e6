/**
 * A probe: one question to a homeserver, and what its answer showed.
 *
 * The rules of judging. A status of 200 proves nothing. Silence proves nothing, unless something that was sent later
 * came through the same stream. `pass` means that it was seen; `fail` that the contrary was seen; whatever lies between
 * is `inconclusive`. Nothing here says that `@:d` *is* the server: it may be an account.
 */
import type { Bench } from './bench.js';
import type { Basis, RequirementId } from './requirements.js';

/** What a probe cannot do without: a second account, a second server, leave to register an account. */
export type Need = (typeof NEEDS)[number];

export const NEEDS = ['other', 'federation', 'registration'] as const;

export type Verdict = (typeof VERDICTS)[number];

/** In the order in which they are counted. */
export const VERDICTS = ['pass', 'fail', 'inconclusive', 'skipped'] as const;

export interface Probe {
  readonly requirement: RequirementId;
  /** What it looks at, where its requirement has several: a noun, lower case, without a comma. */
  readonly part?: string;
  /** What has to be there; where it is not, the runner says so in the probe's place. */
  readonly needs: readonly Need[];
  /** Looks. What it throws becomes `inconclusive`, but for bugs, refused tokens and the signal's reason. */
  run(bench: Bench, signal: AbortSignal): Promise<Finding>;
}

export interface Finding {
  readonly verdict: Verdict;
  /** What was seen: one clause, lower case, no full stop; text of the server in it is quoted and cut. */
  readonly seen: string;
  /** Where what decided is another than the requirement's own. */
  readonly basis?: Basis | undefined;
}

export function pass(seen: string): Finding {
  return { verdict: 'pass', seen };
}

export function fail(seen: string, basis?: Basis): Finding {
  return { verdict: 'fail', seen, basis };
}

export function inconclusive(seen: string): Finding {
  return { verdict: 'inconclusive', seen };
}

export function skipped(seen: string): Finding {
  return { verdict: 'skipped', seen };
}
