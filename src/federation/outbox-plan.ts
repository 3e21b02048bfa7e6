/** What an outbox sends next, and when it tries again. Pure. */
import type { ServerName } from '../ids/server-name.js';
import type { JsonText } from '../wire/json.js';
import { encodeTransaction, MAX_EDUS } from '../wire/transaction.js';

/**
 * How many of the EDUs that wait go into the next transaction: the first of them, up to 100 and to 65 536 bytes of
 * body. One goes in any case.
 *
 * A server that has not taken anything yet gets one alone: some fail a whole transaction for the sake of one EDU.
 */
export function eduCountFor(
  edus: readonly JsonText[],
  header: { readonly origin: ServerName; readonly originServerTsMs: number },
  hasTakenSome: boolean,
): number {
  const most = hasTakenSome ? MAX_EDUS : 1;
  let bytes = Buffer.byteLength(encodeTransaction({ ...header, edus: [] }));
  let count = 0;
  for (const edu of edus.slice(0, most)) {
    bytes += Buffer.byteLength(edu) + (count === 0 ? 0 : COMMA_BYTES);
    if (count > 0 && bytes > MAX_BODY_BYTES) break;
    count += 1;
  }
  return count;
}

/**
 * How long to wait after so many failures in a row: a second, then twice as long each time, an hour at most, of which
 * up to half is left off by chance; longer only if the server asks for it, and no longer than an hour.
 *
 * @param failures 1 or more
 * @param fraction chance: a number in [0, 1)
 */
export function outboxDelayMs(failures: number, fraction: number, askedMs = 0): number {
  const fullMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  return Math.max(Math.round(fullMs * (1 - fraction / 2)), Math.min(askedMs, MAX_DELAY_MS));
}

const MAX_BODY_BYTES = 65_536;
const COMMA_BYTES = 1;
const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 3_600_000;
