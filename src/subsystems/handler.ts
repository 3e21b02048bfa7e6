/**
 * What a handler of the server's own messages is: what it gets, what it may answer, and to whom the answer goes.
 *
 * @see MSC4246, "Security considerations": messages to a server go straight to the relevant subsystem
 */
import { WILDCARD_DEVICE, gradeDeviceId, type DeviceId } from '../ids/device-id.js';
import { isServerUser, type UserId } from '../ids/user-id.js';
import { MAX_CONTENT_BYTES } from '../todevice/message.js';
import { encodeJson, member, parseJson, stringMember, type JsonText } from '../wire/json.js';

/** Where a message came from: a user of this server, or another server. */
export type Via = 'client' | 'federation';

/** One message addressed to this server. */
export interface ServerMessage {
  readonly sender: UserId;
  readonly type: string;
  readonly content: JsonText;
  /** The sending device: known only when the sender is local. */
  readonly deviceId: DeviceId | undefined;
  readonly via: Via;
}

/** What a handler answers: it goes out as a to-device message with the server user as its sender. */
export interface Answer {
  readonly type: string;
  readonly content: JsonText;
}

/** Handles one message. Rejects when it failed; should end soon after the signal aborts. */
export type Handler = (message: ServerMessage, signal: AbortSignal) => Promise<Answer | undefined>;

/** The one line of JSON that a handler outside this process gets: `{sender,type,content,device_id?,via}`. */
export function encodeServerMessage({ sender, type, content, deviceId, via }: ServerMessage): JsonText {
  const device = deviceId === undefined ? '' : `,"device_id":${JSON.stringify(deviceId)}`;
  const head = `"sender":${JSON.stringify(sender)},"type":${JSON.stringify(type)}`;
  return `{${head},"content":${content}${device},"via":"${via}"}` as JsonText;
}

/**
 * Reads the answer of a handler outside this process: `{"type"?,"content"}`. The type defaults to the one received.
 * @throws Error saying what is wrong with it
 */
export function parseAnswer(text: string, message: ServerMessage): Answer {
  const answer = parseJson(text);
  const content = member(answer, 'content');
  if (content?.kind !== 'object') throw new Error('the answer has no object under "content"');
  const type = member(answer, 'type');
  if (type !== undefined && (type.kind !== 'string' || !type.value.isWellFormed())) {
    throw new Error('the answer\'s "type" is no string');
  }
  const contentText = encodeJson(content);
  if (Buffer.byteLength(contentText) > MAX_CONTENT_BYTES) {
    throw new Error(`the content of the answer is longer than ${MAX_CONTENT_BYTES} bytes`);
  }
  return { type: type?.value ?? message.type, content: contentText };
}

/**
 * The device that an answer goes to: the sending device if it is known, else the one that the content names, else
 * all of them. Undefined for a server: two servers that answer each other would never stop.
 */
export function answerDevice(message: ServerMessage): DeviceId | typeof WILDCARD_DEVICE | undefined {
  if (isServerUser(message.sender)) return undefined;
  if (message.deviceId !== undefined) return message.deviceId;
  const named = stringMember(parseJson(message.content), 'device_id');
  if (named === undefined || !gradeDeviceId(named).grammars.strict.valid) return WILDCARD_DEVICE;
  return named as DeviceId;
}
