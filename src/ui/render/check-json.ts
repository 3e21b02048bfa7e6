/** `mx2s check` for programs. */
import type { Need, Verdict } from '../../check/probe.js';
import {
  requirementOf,
  type Basis,
  type Level,
  type Provable,
  type RequirementId,
} from '../../check/requirements.js';
import type { Result } from '../../check/runner.js';

/** The JSON object of a result. */
export interface CheckResult {
  readonly v: 1;
  readonly requirement: RequirementId;
  readonly verdict: Verdict;
  readonly level: Level;
  /** Whose demand decided. */
  readonly basis: Basis;
  readonly title: string;
  readonly seen: string;
}

export function checkResult({ requirement, verdict, basis, seen }: Result): CheckResult {
  const { level, title } = requirementOf(requirement);
  return { v: 1, requirement, verdict, level, basis, title, seen };
}

/** The JSON object of a requirement with `--list`. */
export interface ListedRequirement {
  readonly v: 1;
  readonly requirement: RequirementId;
  readonly level: Level;
  readonly basis: Basis;
  readonly title: string;
  /** How it can be known. */
  readonly provable: Provable;
  /** What it takes to look at all of it. */
  readonly needs: readonly Need[];
  /** Why it cannot be known. */
  readonly why?: string;
}

export function listedRequirement(requirement: RequirementId, needs: readonly Need[]): ListedRequirement {
  const { level, basis, title, provable, why } = requirementOf(requirement);
  return {
    v: 1,
    requirement,
    level,
    basis,
    title,
    provable,
    needs,
    ...(why === undefined ? {} : { why }),
  };
}
