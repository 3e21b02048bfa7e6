/**
 * What a handler of the server's own messages is: what it gets, what it may answer, and to whom the answer goes.
 *
 * @see MSC4246, "Security considerations": messages to a server go straight to the relevant subsystem
 */
import { WILDCARD_DEVICE, gradeDeviceId, type DeviceId } from '../ids/device-id.js';
import { isServerUser, type UserId } from '../ids/user-id.js';
import { MAX_CONTENT_BYTES, parseRecipient, type Recipient } from '../todevice/message.js';
import { encodeJson, member, parseJson, stringMember, type JsonNode, type JsonText } from '../wire/json.js';

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
  /** Undefined for the one who asked; see `answerDevice`. Nothing goes to a server. */
  readonly recipient?: Recipient | undefined;
}

/** Handles one message. Rejects when it failed, with UnreachableError when it could not begin; should end soon after the signal aborts. */
export type Handler = (
  message: ServerMessage,
  signal: AbortSignal,
) => Promise<Answer | readonly Answer[] | undefined>;

/** A handler outside the process was not there at all: nothing of the message has left. */
export class UnreachableError extends Error {
  /** Its URL, without secrets. */
  readonly service: string;

  constructor(service: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.service = service;
  }
}

/** Answers that go out together, as in one request to `/sendToDevice`. */
export interface AnswerBatch {
  readonly type: string;
  readonly messages: ReadonlyMap<UserId, ReadonlyMap<Recipient['device'], JsonText>>;
}

/** The one line of JSON that a handler outside this process gets: `{sender,type,content,device_id?,via}`. */
export function encodeServerMessage({ sender, type, content, deviceId, via }: ServerMessage): JsonText {
  const device = deviceId === undefined ? '' : `,"device_id":${JSON.stringify(deviceId)}`;
  const head = `"sender":${JSON.stringify(sender)},"type":${JSON.stringify(type)}`;
  return `{${head},"content":${content}${device},"via":"${via}"}` as JsonText;
}

/**
 * Reads what a handler outside this process answers: `{"type"?,"content"}` for the one who asked, or
 * `{"messages":[{"to"?,"device"?,"type"?,"content"},…]}`, where one without `to` is for the one who asked. The type
 * defaults to the one received.
 *
 * @throws Error saying what is wrong with it; InvalidInputError for a recipient that is none
 */
export function parseAnswers(text: string, message: ServerMessage): readonly Answer[] {
  const answer = parseJson(text);
  const messages = member(answer, 'messages');
  if (messages === undefined) return [parseAnswer(answer, message)];
  if (member(answer, 'content') !== undefined)
    throw new Error('the answer has both "content" and "messages"');
  if (messages.kind !== 'array') throw new Error('the answer\'s "messages" is no array');
  if (messages.items.length > MAX_ANSWERS)
    throw new Error(`the answer has more than ${MAX_ANSWERS} messages`);
  return messages.items.map((item) => ({
    ...parseAnswer(item, message),
    recipient: parseAnswerRecipient(item),
  }));
}

/**
 * Whom the answers to `message` go to, in order. Those that follow each other go out together where they have one
 * type and no device gets two of them.
 *
 * What is for a server goes nowhere: two servers that answer each other would never stop.
 */
export function batchAnswers(answers: readonly Answer[], message: ServerMessage): AnswerBatch[] {
  const batches: { type: string; messages: Map<UserId, Contents> }[] = [];
  for (const { type, content, recipient } of answers) {
    const { to, device } = recipient ?? { to: message.sender, device: answerDevice(message) };
    if (isServerUser(to)) continue;
    let batch = batches.at(-1);
    if (batch?.type !== type || overlaps(batch.messages.get(to), device)) {
      batch = { type, messages: new Map() };
      batches.push(batch);
    }
    const contents: Contents = batch.messages.get(to) ?? new Map();
    batch.messages.set(to, contents.set(device, content));
  }
  return batches;
}

/** What one user's devices get. */
type Contents = Map<Recipient['device'], JsonText>;

/** Would a device get two contents? Of one request it gets the one that names it, and what `*` has besides is lost. */
function overlaps(contents: Contents | undefined, device: Recipient['device']): boolean {
  if (contents === undefined) return false;
  return device === WILDCARD_DEVICE || contents.has(WILDCARD_DEVICE) || contents.has(device);
}

function parseAnswer(answer: JsonNode, message: ServerMessage): Answer {
  const content = member(answer, 'content');
  if (content?.kind !== 'object') throw new Error('the answer has no object under "content"');
  const contentText = encodeJson(content);
  if (Buffer.byteLength(contentText) > MAX_CONTENT_BYTES) {
    throw new Error(`the content of the answer is longer than ${MAX_CONTENT_BYTES} bytes`);
  }
  return { type: stringAt(answer, 'type') ?? message.type, content: contentText };
}

function parseAnswerRecipient(answer: JsonNode): Recipient | undefined {
  const to = stringAt(answer, 'to');
  const device = stringAt(answer, 'device');
  if (to !== undefined) {
    const recipient = parseRecipient(to, device);
    if (isServerUser(recipient.to)) throw new Error(`the answer is for ${to}, and servers are not answered`);
    return recipient;
  }
  if (device !== undefined) throw new Error('the answer has "device", and no "to"');
  return undefined;
}

function stringAt(answer: JsonNode, name: string): string | undefined {
  const value = member(answer, name);
  if (value === undefined) return undefined;
  if (value.kind !== 'string' || !value.value.isWellFormed()) {
    throw new Error(`the answer's "${name}" is no string`);
  }
  return value.value;
}

/**
 * The device that an answer goes to: the sending device if it is known, else the one that the content names, else
 * all of them.
 */
function answerDevice(message: ServerMessage): Recipient['device'] {
  if (message.deviceId !== undefined) return message.deviceId;
  const named = stringMember(parseJson(message.content), 'device_id');
  if (named === undefined || !gradeDeviceId(named).grammars.strict.valid) return WILDCARD_DEVICE;
  return named as DeviceId;
}

/** So that one message to the server cannot set off any number of others. */
const MAX_ANSWERS = 1000;
