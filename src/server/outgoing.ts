/** From the messages of one sender to the EDUs for other servers. */
import type { Chance } from '../chance.js';
import { fanOut, type RejectedContent, type RejectionReason } from '../federation/fan-out.js';
import type { ServerName } from '../ids/server-name.js';
import type { UserId } from '../ids/user-id.js';
import type { RemoteMessages } from '../todevice/split.js';
import type { JsonText } from '../wire/json.js';

export interface Outgoing {
  readonly edus: ReadonlyMap<ServerName, readonly JsonText[]>;
  readonly rejected: readonly RejectedContent[];
}

/** Makes the EDUs of, by destination, each with a message ID of 32 characters. */
export function outgoingEdus(
  remote: ReadonlyMap<ServerName, RemoteMessages>,
  { sender, type }: { readonly sender: UserId; readonly type: string },
  chance: Chance,
): Outgoing {
  const edus = new Map<ServerName, readonly JsonText[]>();
  const rejected: RejectedContent[] = [];
  for (const [destination, users] of remote) {
    const spread = fanOut({ sender, type, users }, () => chance.uuid().replaceAll('-', ''));
    edus.set(destination, spread.edus);
    rejected.push(...spread.rejected);
  }
  return { edus, rejected };
}

/** Why content cannot go to another server, as a clause. */
export function whyRejected({ userId, reason }: RejectedContent): string {
  return `the content for ${userId} cannot be sent to another server: ${REASONS[reason]}`;
}

const REASONS = {
  too_large: 'with what goes around it, it is longer than 65536 bytes',
  too_deep: 'it is nested too deeply',
  fraction: 'it holds a number that is no integer',
  integer_range: 'it holds an integer outside ±(2^53-1)',
  lone_surrogate: 'a string in it holds half of a surrogate pair',
  duplicate_key: 'a key stands twice in one object',
} as const satisfies Record<RejectionReason, string>;
