/** Chance as an argument: identifiers, secrets and jitter come from here, so that a test can fix them. */
import { randomBytes, randomUUID } from 'node:crypto';

export interface Chance {
  /** A UUIDv4. */
  uuid(): string;
  /** A number in [0, 1), for jitter; never for secrets. */
  fraction(): number;
  /** `byteCount` unpredictable bytes, for tokens and passwords. */
  bytes(byteCount: number): Uint8Array;
}

export const systemChance: Chance = {
  uuid: () => randomUUID(),
  fraction: () => Math.random(),
  bytes: (byteCount) => randomBytes(byteCount),
};
