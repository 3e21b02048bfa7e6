/** How many one-time keys a device has left, for `/sync` and `/keys/upload`. */
import type { DeviceRef } from '../../../store/store.js';
import type { Homeserver } from '../../homeserver.js';

/** Algorithm to number; undefined for a device that never published keys. */
export async function countOneTimeKeys(
  home: Homeserver,
  device: DeviceRef,
): Promise<Record<string, number> | undefined> {
  const keys = await home.store.keys(device);
  if (keys === undefined) return undefined;
  const counts = new Map<string, number>([['signed_curve25519', 0]]);
  for (const keyId of keys.oneTime.keys()) {
    const algorithm = keyId.slice(0, keyId.indexOf(':'));
    counts.set(algorithm, (counts.get(algorithm) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}
