/** A to-device event in the hands of the one who listens, and the one place where its line is made. */
import type { ServerName } from '../ids/server-name.js';
import type { JsonText } from '../wire/json.js';
import type { ToDeviceEvent } from '../wire/sync.js';
import { senderFacts, type SenderFacts } from './sender.js';

export interface ReceivedEvent extends ToDeviceEvent, SenderFacts {
  /** When we read it, in milliseconds since the Unix epoch; a to-device event has no time of its own. */
  readonly receivedTs: number;
}

/** Adds what is known of an event beside itself. */
export function receivedEvent(
  event: ToDeviceEvent,
  ownServer: ServerName,
  receivedTs: number,
): ReceivedEvent {
  const { sender, type, content } = event; // one by one: to spread an object takes longer than to read the event
  const { serverUser, ownServer: isOwn } = senderFacts(sender, ownServer);
  return { sender, type, content, serverUser, ownServer: isOwn, receivedTs };
}

/**
 * An event as one line of JSON, without its line end:
 * `{"v":1,"sender","type","content","server_user","own_server","received_ts"}`.
 *
 * The content is passed on as it came, so that big integers and repeated keys survive. A sender or type that
 * is absent, or no string, is `null`.
 */
export function encodeReceivedEvent(event: ReceivedEvent): JsonText {
  const sender = JSON.stringify(event.sender ?? null);
  const type = JSON.stringify(event.type ?? null);
  return `{"v":1,"sender":${sender},"type":${type},"content":${event.content},"server_user":${event.serverUser},"own_server":${event.ownServer},"received_ts":${event.receivedTs}}` as JsonText;
}
