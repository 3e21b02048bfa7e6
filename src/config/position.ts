/**
 * How far the messages of one device were handed over.
 *
 * A `since` acknowledges a whole batch (Client-Server API v1.19, "Extensions to /sync"), so the position is
 * the `since` that gave the batch plus how many of its events were handed over, with a digest of those: a
 * later run asks again with the same `since` and skips that many if the digest agrees.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ToDeviceEvent } from '../wire/sync.js';
import { parseJson, numberMember, stringMember } from '../wire/json.js';
import { replacePrivateFile } from './private-file.js';

export interface Position {
  /** The API that `since` came from; the other one does not understand it. */
  readonly api: SyncApi;
  /** What the batch was asked for with; undefined before the first token. */
  readonly since: string | undefined;
  /** How many events of the batch after `since` were handed over. */
  readonly consumed: number;
  /** Of those events, by `nextDigest`; undefined when there are none. */
  readonly digest?: string | undefined;
}

/** The two sync APIs: `/v3/sync`, and sliding sync. */
export type SyncApi = 'v3' | 'sliding';

/** The stored position, or undefined where none can be read: then everything unacknowledged comes again. */
export function readPosition(path: string): Position | undefined {
  try {
    return parsePosition(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Stores a position.
 * @throws DiskError
 */
export function writePosition(path: string, position: Position): void {
  replacePrivateFile(path, encodePosition(position));
}

/** `{"v":1,"api","since"?,"consumed","digest"?}` */
function encodePosition({ api, since, consumed, digest }: Position): string {
  return `${JSON.stringify({ v: 1, api, since, consumed, digest })}\n`;
}

function parsePosition(text: string): Position | undefined {
  const node = parseJson(text);
  const api = stringMember(node, 'api');
  const consumed = numberMember(node, 'consumed') ?? -1;
  const digest = stringMember(node, 'digest');
  const isWhole = Number.isSafeInteger(consumed) && consumed >= 0 && (consumed === 0 || digest !== undefined);
  if (numberMember(node, 'v') !== 1 || (api !== 'v3' && api !== 'sliding') || !isWhole) return undefined;
  return { api, since: stringMember(node, 'since'), consumed, digest };
}

/**
 * The digest after one more event: SHA-256 over the digest before it (none for the first of a batch), its
 * sender, its type and its content as it came.
 */
export function nextDigest(previous: string | undefined, event: ToDeviceEvent): string {
  const fields = [previous ?? null, event.sender ?? null, event.type ?? null, event.content];
  return createHash('sha256').update(JSON.stringify(fields)).digest('base64url');
}

/** The digest of the first events of a batch, in order; undefined of none. */
export function digestOf(events: readonly ToDeviceEvent[]): string | undefined {
  return events.reduce<string | undefined>(nextDigest, undefined);
}
