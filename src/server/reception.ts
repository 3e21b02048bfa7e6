/**
 * Taking in the transactions of other servers.
 *
 * Invariant: an EDU that makes no sense, or that nobody wants, fails neither its transaction nor the EDUs beside it.
 * Only a fault of our own does: the sender then repeats, and what was taken already is known by its ID.
 *
 * @see Server-Server API v1.19, "Transactions"
 */
import { SERVER_DEVICE_ID } from '../ids/device-id.js';
import type { ServerName } from '../ids/server-name.js';
import { gradeUserId } from '../ids/user-id.js';
import { parseDirectToDevice } from '../todevice/edu.js';
import { jsonTextOf, member, stringMember, type JsonNode, type JsonText } from '../wire/json.js';
import type { Transaction } from '../wire/transaction.js';
import type { Homeserver } from './homeserver.js';
import { encodeMembers } from './json-members.js';
import type { LogEntry } from './log-entry.js';

/**
 * Takes in a transaction of `origin`, which has proved to be that server, and gives its answer:
 * `{"pdus":{"$event":{"error"}}}`. One that was seen before gets the same answer again, and nothing happens.
 */
export async function receiveTransaction(
  home: Homeserver,
  origin: ServerName,
  txnId: string,
  { pdus, edus }: Transaction,
): Promise<JsonText> {
  const { store, clock, federation } = home;
  federation.outbox.heardFrom(origin);
  const transaction = { origin, txnId, nowTs: clock.now() };
  const known = await store.transactionAnswer(transaction);
  if (known !== undefined) return known;
  for (const edu of edus) await receiveEdu(home, origin, edu);
  const answer = encodeMembers([['pdus', refuseEvents(pdus)]]);
  await store.keepTransactionAnswer(transaction, answer);
  return answer;
}

async function receiveEdu(home: Homeserver, origin: ServerName, edu: JsonNode): Promise<void> {
  const message = parseDirectToDevice(edu, origin);
  if (typeof message !== 'string') return home.delivery.acceptEdu(message, origin);
  home.droppedEdus[message] += 1;
  if (message === 'spoofed') home.onEvent(spoofedEntry(home, edu));
}

/** who pretended to be whom is worth a line, also where a user was to be deceived. */
function spoofedEntry(home: Homeserver, edu: JsonNode): LogEntry {
  const content = member(edu, 'content');
  return {
    direction: 'in',
    sender: stringMember(content, 'sender') ?? '',
    to: victimOf(home, edu),
    device: SERVER_DEVICE_ID,
    type: stringMember(content, 'type') ?? '',
    via: 'federation',
    outcome: 'spoofed',
  };
}

/** Who was to be deceived: the server if it is among them, else the first user. */
function victimOf(home: Homeserver, edu: JsonNode): string {
  const messages = member(member(edu, 'content'), 'messages');
  const named = messages?.kind === 'object' ? messages.members.map(({ key }) => key) : [];
  if (named.includes(home.serverUser)) return home.serverUser;
  return named.find((userId) => gradeUserId(userId).grammars.historical.valid) ?? '';
}

/**
 * We join no rooms. Results are by event ID, which in all room versions but the first two is a hash that takes
 * knowledge of the room to compute: those events are left out, as if they had been taken.
 */
function refuseEvents(pdus: readonly JsonNode[]): JsonText {
  const ids = pdus.map((pdu) => stringMember(pdu, 'event_id')).filter((id) => id !== undefined);
  return encodeMembers([...new Set(ids)].map((id) => [id, NOT_IN_ROOM]));
}

const NOT_IN_ROOM = jsonTextOf({ error: 'this server is in no room' });
