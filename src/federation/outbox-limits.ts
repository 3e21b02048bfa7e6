/** How much may wait for one server that does not take it. Pure. */
import type { ServerName } from '../ids/server-name.js';
import type { JsonText } from '../wire/json.js';

export interface OutboxLimits {
  readonly maxEdus: number;
  /** Of all EDUs together, as UTF-8. */
  readonly maxBytes: number;
}

/** How much waits for one server. */
export interface OutboxSize {
  readonly eduCount: number;
  readonly bytes: number;
}

/** So much waits for a server already that no more is taken for it. What waits is not touched. */
export class OutboxFullError extends Error {
  override readonly name = 'OutboxFullError';
  readonly destination: ServerName;

  constructor(destination: ServerName) {
    super(`too much waits for ${destination}`);
    this.destination = destination;
  }
}

export function sizeOf(edus: readonly JsonText[]): OutboxSize {
  return { eduCount: edus.length, bytes: edus.reduce((bytes, edu) => bytes + Buffer.byteLength(edu), 0) };
}

/**
 * How much waits for `destination` when `edus` have been put to what waits now.
 * @throws OutboxFullError when that is more than there may be
 */
export function sizeWith(
  waiting: OutboxSize,
  edus: readonly JsonText[],
  destination: ServerName,
  { maxEdus, maxBytes }: OutboxLimits,
): OutboxSize {
  const added = sizeOf(edus);
  const size = { eduCount: waiting.eduCount + added.eduCount, bytes: waiting.bytes + added.bytes };
  if (size.eduCount > maxEdus || size.bytes > maxBytes) throw new OutboxFullError(destination);
  return size;
}

/** Enough for hours of a busy sender; a server that is away for longer must not take all the memory or disk. */
export const OUTBOX_LIMITS: OutboxLimits = { maxEdus: 100_000, maxBytes: 64 * 1024 * 1024 };
export const NOTHING_WAITS: OutboxSize = { eduCount: 0, bytes: 0 };
