/** Looking into the queue without taking anything out of it. */
import type { Clock } from '../clock.js';
import type { ServerName } from '../ids/server-name.js';
import { receivedEvent, type ReceivedEvent } from '../todevice/received.js';
import type { BatchSource } from './batch-source.js';
import type { Selection } from './selection.js';

export interface PeekOptions {
  readonly source: BatchSource;
  readonly ownServer: ServerName;
  readonly selection: Selection;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a look into the queue showed. */
export interface Peeked {
  readonly selected: readonly ReceivedEvent[];
  readonly unselected: number;
  readonly malformed: number;
}

/**
 * The first batch that the server holds, unacknowledged: a request without `since` acknowledges nothing. Most
 * servers give at most 100 events at a time.
 *
 * @throws what the source throws
 */
export async function peek({ source, ownServer, selection, clock, signal }: PeekOptions): Promise<Peeked> {
  const batch = await source.read({ since: undefined, timeoutMs: 0, fresh: true }, signal);
  const receivedTs = clock.now();
  const events = batch.events.map((event) => receivedEvent(event, ownServer, receivedTs));
  const selected = events.filter(selection);
  return { selected, unselected: events.length - selected.length, malformed: batch.malformedCount };
}
