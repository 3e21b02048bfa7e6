/** Emptying the queue unread. */
import type { QueueReader } from './queue-reader.js';

/**
 * Acknowledges everything that waits without handing it over. How many events that were.
 * @throws what the reader throws; what was acknowledged until then is gone
 */
export async function discard(reader: QueueReader, signal: AbortSignal): Promise<number> {
  let discarded = 0;
  for (;;) {
    const batch = await reader.read(0, signal);
    if (batch.isEmpty) return discarded;
    discarded += batch.waiting.length;
    reader.advance(batch, batch.waiting.length);
  }
}
