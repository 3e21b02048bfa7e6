/**
 * Connections of sliding sync: which `pos` a client may come back with.
 *
 * A `pos` belongs to a connection, not to the device's queue; only the extension's own `since` acknowledges.
 * @see MSC4186, "Connections"; MSC4538
 */
import type { Chance } from '../chance.js';
import type { DeviceRef } from '../store/store.js';

interface Connection {
  /** The one given last, and the one that it was given for: its answer may have been lost. */
  current: string;
  previous: string | undefined;
}

export class SlidingConnections {
  readonly #devices = new Map<string, Map<string, Connection>>();
  readonly #prefix: string;
  #count = 0;

  /** Positions of another life of this server must not be taken for ours. */
  constructor(chance: Chance) {
    this.#prefix = Buffer.from(chance.bytes(PREFIX_BYTES)).toString('base64url');
  }

  /** Goes on from `pos`, or begins anew without one. Undefined when the position is not known. */
  advance(device: DeviceRef, connectionId: string, pos: string | undefined): string | undefined {
    const key = keyOf(device);
    const connections = this.#devices.get(key) ?? new Map<string, Connection>();
    const known = connections.get(connectionId);
    if (pos !== undefined && (known === undefined || (pos !== known.current && pos !== known.previous))) {
      return undefined;
    }
    this.#count += 1;
    const current = `${this.#prefix}/${this.#count}`;
    connections.delete(connectionId); // so that the order is that of use
    connections.set(connectionId, { current, previous: pos });
    for (const oldest of connections.keys()) {
      if (connections.size <= MAX_CONNECTIONS) break;
      connections.delete(oldest);
    }
    this.#devices.set(key, connections);
    return current;
  }

  forget(device: DeviceRef): void {
    this.#devices.delete(keyOf(device));
  }
}

function keyOf({ userId, deviceId }: DeviceRef): string {
  return `${userId}\0${deviceId}`;
}

const PREFIX_BYTES = 6;
const MAX_CONNECTIONS = 100;
