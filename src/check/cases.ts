/** Every probe. */
import { IDENTITY_FEDERATION_PROBES } from './cases/identity-federation.js';
import { IDENTITY_PROBES } from './cases/identity.js';
import { RECEIVER_FEDERATION_PROBES } from './cases/receiver-federation.js';
import { RECEIVER_PROBES } from './cases/receiver.js';
import { SENDER_FEDERATION_PROBES } from './cases/sender-federation.js';
import { SENDER_PROBES } from './cases/sender.js';
import { SUBSYSTEM_FEDERATION_PROBES } from './cases/subsystem-federation.js';
import { SUBSYSTEM_PROBES } from './cases/subsystem.js';
import { TO_USER_FEDERATION_PROBES } from './cases/to-user-federation.js';
import { TO_USER_PROBES } from './cases/to-user.js';
import { NEEDS, type Need, type Probe } from './probe.js';
import type { RequirementId } from './requirements.js';

export const PROBES: readonly Probe[] = [
  ...SENDER_PROBES,
  ...SENDER_FEDERATION_PROBES,
  ...RECEIVER_PROBES,
  ...RECEIVER_FEDERATION_PROBES,
  ...IDENTITY_PROBES,
  ...IDENTITY_FEDERATION_PROBES,
  ...TO_USER_PROBES,
  ...TO_USER_FEDERATION_PROBES,
  ...SUBSYSTEM_PROBES,
  ...SUBSYSTEM_FEDERATION_PROBES,
];

/** What looking at all of a requirement takes. */
export function needsOf(requirement: RequirementId): readonly Need[] {
  const needed = PROBES.filter((probe) => probe.requirement === requirement).flatMap(({ needs }) => needs);
  return NEEDS.filter((need) => needed.includes(need));
}
