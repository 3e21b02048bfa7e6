/**
 * What the sender of an event tells about where it comes from.
 *
 * A server user ID is no proof: it may be an ordinary account on a homeserver that does not know MSC4246
 * ("Unstable prefix"). So nothing here says that an event is *from* a server.
 */
import { serverNameFault, type ServerName } from '../ids/server-name.js';

export interface SenderFacts {
  /** The sender is a valid user ID with an empty localpart (R-7; MSC4246, "Proposal"). */
  readonly serverUser: boolean;
  /** It is a server user, and the server is the one that we are users of. */
  readonly ownServer: boolean;
}

/**
 * What is known of a sender; whatever it holds, and also where an event has none. Never throws.
 *
 * Each event is asked for its sender, so this takes the short way to what `gradeUserId` finds.
 */
export function senderFacts(sender: string | undefined, ownServer: ServerName): SenderFacts {
  if (!sender?.startsWith('@:')) return NO_SERVER;
  const serverName = sender.slice(2);
  // a valid server name is ASCII, so its characters are its bytes
  if (sender.length > MAX_BYTES || serverNameFault(serverName) !== undefined) return NO_SERVER;
  return serverName === ownServer ? OWN_SERVER : OTHER_SERVER;
}

const NO_SERVER: SenderFacts = { serverUser: false, ownServer: false };
const OTHER_SERVER: SenderFacts = { serverUser: true, ownServer: false };
const OWN_SERVER: SenderFacts = { serverUser: true, ownServer: true };
/** Of a user ID (Matrix v1.19, Appendices, "User Identifiers"). */
const MAX_BYTES = 255;
