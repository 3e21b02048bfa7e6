/**
 * Chance as an argument: identifiers, secrets and jitter come from here, so that a test can fix them.
 *
 * The global `crypto` loads when it is first used; `node:crypto` would load at every start.
 */

export interface Chance {
  /** A UUIDv4. */
  uuid(): string;
  /** A number in [0, 1), for jitter; never for secrets. */
  fraction(): number;
  /** `byteCount` unpredictable bytes, for tokens and passwords. */
  bytes(byteCount: number): Uint8Array;
}

/** The chance of the operating system. */
export const systemChance: Chance = {
  uuid: () => crypto.randomUUID(),
  fraction: () => Math.random(),
  bytes: (byteCount) => crypto.getRandomValues(new Uint8Array(byteCount)),
};
