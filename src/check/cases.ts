/** Every probe. */
import { SENDER_PROBES } from './cases/sender.js';
import { NEEDS, type Need, type Probe } from './probe.js';
import type { RequirementId } from './requirements.js';

export const PROBES: readonly Probe[] = [...SENDER_PROBES];

/** What looking at all of a requirement takes. */
export function needsOf(requirement: RequirementId): readonly Need[] {
  const needed = PROBES.filter((probe) => probe.requirement === requirement).flatMap(({ needs }) => needs);
  return NEEDS.filter((need) => needed.includes(need));
}
