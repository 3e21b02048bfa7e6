/** What waits in a queue, read until nothing does. */
import { DeadlineError } from '../errors.js';
import type { OpenBatch } from './open-batch.js';
import type { QueueReader } from './queue-reader.js';

/**
 * Reads batch by batch, and moves the position behind each that was taken. Not without end: a server may find more
 * for ever, because it is hostile or because somebody sends faster than we read.
 *
 * @throws DeadlineError when something still waits after very much of it; what the reader and `take` throw
 */
export async function readBacklog(
  reader: QueueReader,
  signal: AbortSignal,
  take: (batch: OpenBatch) => void,
): Promise<void> {
  let size = 0;
  for (let batches = 0; batches < MAX_BATCHES && size < MAX_CHARACTERS; batches += 1) {
    signal.throwIfAborted();
    const batch = await reader.read(0, signal);
    if (batch.isEmpty) return;
    const { waiting } = batch;
    take(batch);
    reader.advance(batch, waiting.length);
    size += waiting.reduce((sum, { content }) => sum + content.length, 0);
  }
  throw new DeadlineError(
    undefined,
    'more and more waits in the queue of this device, and no end is in sight',
    {
      hint: 'run it again to go on from here; or find out who sends so much: mx2s listen --peek --any-sender',
    },
  );
}

/** Servers give 100 events at a time. */
const MAX_BATCHES = 1000;
const MAX_CHARACTERS = 64 * 1024 * 1024;
