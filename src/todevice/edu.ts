/**
 * `m.direct_to_device`: a to-device message between servers.
 *
 * @see Server-Server API v1.19, "Send-to-device messaging"; MSC4246, "Proposal", the EDUs
 */
import { parseUserId, serverNameOf, type UserId } from '../ids/user-id.js';
import type { ServerName } from '../ids/server-name.js';
import { encodeJson, member, stringMember, type JsonNode, type JsonText } from '../wire/json.js';
import { encodeAllMessages } from './message.js';
import type { Messages } from './split.js';

/** The type of the EDU that carries to-device messages (Server-Server API v1.19, "Send-to-device messaging"). */
export const DIRECT_TO_DEVICE = 'm.direct_to_device';

/** What the EDU says, its sender checked against who sent it. */
export interface DirectToDevice {
  readonly sender: UserId;
  readonly type: string;
  /** For idempotence: at most 32 code points, unique for the sending server. */
  readonly messageId: string;
  readonly messages: Messages;
}

/**
 * Why an EDU is dropped. `other_edu`: of a type that we do not know; `spoofed`: the sender is not of the
 * server that sent it.
 */
export type EduFault = 'other_edu' | 'bad_shape' | 'spoofed';

/**
 * Reads one EDU of a transaction from `origin`, the server whose signature was good. Never throws.
 *
 * The specification does not say that the sender must belong to the origin. Without that rule any server could
 * speak as any other, as `@:victim` above all.
 */
export function parseDirectToDevice(edu: JsonNode, origin: ServerName): DirectToDevice | EduFault {
  if (stringMember(edu, 'edu_type') !== DIRECT_TO_DEVICE) {
    return stringMember(edu, 'edu_type') === undefined ? 'bad_shape' : 'other_edu';
  }
  const content = member(edu, 'content');
  const senderText = stringMember(content, 'sender');
  const type = stringMember(content, 'type');
  const messageId = stringMember(content, 'message_id');
  const messages = readMessages(member(content, 'messages'));
  if (senderText === undefined || type === undefined || messageId === undefined || messages === undefined) {
    return 'bad_shape';
  }
  if (isTooLong(messageId)) return 'bad_shape';
  const sender = readSender(senderText);
  if (sender === undefined) return 'bad_shape';
  if (serverNameOf(sender) !== origin) return 'spoofed';
  return { sender, type, messageId, messages };
}

/** Writes an EDU; content goes out as it came. It is for the signer to make it canonical. */
export function encodeDirectToDevice(message: DirectToDevice): JsonText {
  const content = [
    `"message_id":${JSON.stringify(message.messageId)}`,
    `"messages":${encodeAllMessages(message.messages)}`,
    `"sender":${JSON.stringify(message.sender)}`,
    `"type":${JSON.stringify(message.type)}`,
  ];
  return `{"content":{${content.join(',')}},"edu_type":"${DIRECT_TO_DEVICE}"}` as JsonText;
}

/** Counted only if it can matter: no code point takes more than two code units. */
function isTooLong(messageId: string): boolean {
  return (
    messageId.length > 2 * MAX_MESSAGE_ID_CODE_POINTS || [...messageId].length > MAX_MESSAGE_ID_CODE_POINTS
  );
}

/**
 * Historical user IDs have to be accepted (Matrix v1.19, Appendices, "Historical User IDs"). The same section says
 * that IDs with an empty localpart should not be forwarded to clients outside events. MSC4246 relies on exactly that,
 * and makes the empty localpart current grammar: so we forward `@:remote` (R-28; our reading of what is open).
 */
function readSender(text: string): UserId | undefined {
  try {
    return parseUserId(text, 'historical');
  } catch {
    return undefined;
  }
}

function readMessages(node: JsonNode | undefined): Messages | undefined {
  if (node?.kind !== 'object') return undefined;
  const messages = new Map<string, ReadonlyMap<string, JsonText>>();
  for (const { key: userId, value: devices } of node.members) {
    if (devices.kind !== 'object') return undefined;
    messages.set(userId, new Map(devices.members.map(({ key, value }) => [key, encodeJson(value)])));
  }
  return messages;
}

const MAX_MESSAGE_ID_CODE_POINTS = 32;
