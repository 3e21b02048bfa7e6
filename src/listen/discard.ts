/** Emptying the queue unread. */
import { readBacklog } from './backlog.js';
import type { QueueReader } from './queue-reader.js';

/**
 * Acknowledges everything that waits without handing it over. How many events that were.
 * @throws what reading a backlog throws; what was acknowledged until then is gone
 */
export async function discard(reader: QueueReader, signal: AbortSignal): Promise<number> {
  let discarded = 0;
  await readBacklog(reader, signal, ({ waiting }) => (discarded += waiting.length));
  return discarded;
}
