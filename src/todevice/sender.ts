/**
 * What the sender of an event tells about where it comes from.
 *
 * A server user ID is no proof: it may be an ordinary account on a homeserver that does not know MSC4246
 * ("Unstable prefix"). So nothing here says that an event is *from* a server.
 */
import type { ServerName } from '../ids/server-name.js';
import { gradeUserId } from '../ids/user-id.js';

export interface SenderFacts {
  /** The sender is a valid user ID with an empty localpart (R-7; MSC4246, "Proposal"). */
  readonly serverUser: boolean;
  /** It is a server user, and the server is the one that we are users of. */
  readonly ownServer: boolean;
}

/** What is known of a sender; whatever it holds, and also where an event has none. Never throws. */
export function senderFacts(sender: string | undefined, ownServer: ServerName): SenderFacts {
  if (!sender?.startsWith('@:')) return NO_SERVER;
  const { isServer, serverName } = gradeUserId(sender);
  return isServer ? { serverUser: true, ownServer: serverName === ownServer } : NO_SERVER;
}

const NO_SERVER: SenderFacts = { serverUser: false, ownServer: false };
