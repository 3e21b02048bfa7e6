/**
 * One to-device message, from the words of the user to the body of the request.
 *
 * A homeserver answers 200 whatever the user, the device or the content is, and drops what it does not like.
 * So everything is checked here, before anything is sent.
 *
 * @see Client-Server API v1.19, "Send-to-Device messaging"; MSC4246, "Proposal"
 */
import { InvalidInputError } from '../errors.js';
import { parseDeviceId, SERVER_DEVICE_ID, WILDCARD_DEVICE, type DeviceId } from '../ids/device-id.js';
import { gradeUserId, isServerUser, parseUserId, type UserId } from '../ids/user-id.js';
import { CanonicalJsonError, canonicalJson } from '../wire/canonical-json.js';
import { JsonSyntaxError, parseJson, type JsonNode, type JsonText } from '../wire/json.js';
import type { Messages } from './split.js';

/** Whom a message is for. */
export interface Recipient {
  readonly to: UserId;
  /** `""` is the one device of a server; `*` means every device. */
  readonly device: DeviceId | typeof WILDCARD_DEVICE;
}

declare const eventTypeBrand: unique symbol;
/** A type that can stand in a request, made by `parseEventType`. */
export type EventType = string & { readonly [eventTypeBrand]: true };

declare const transactionIdBrand: unique symbol;
/** A transaction ID that can stand in a request, made by `parseTransactionId`. */
export type TransactionId = string & { readonly [transactionIdBrand]: true };

/** A message that is ready to be sent. */
export interface OutgoingMessage {
  readonly recipient: Recipient;
  readonly type: EventType;
  /** An object in canonical form. */
  readonly content: JsonText;
}

/**
 * Reads whom a message is for. A server user has the device `""` unless `*` is asked for (R-3) and no other
 * (R-6); any other user needs a device, which is never `""` (R-6).
 *
 * @throws InvalidInputError whose `reason` is an identifier code, `device_required` or `server_device`
 */
export function parseRecipient(to: string, device?: string): Recipient {
  const user = parseAddressee(to);
  if (isServerUser(user)) return { to: user, device: serverDevice(device) };
  if (device === undefined) {
    throw new InvalidInputError(`${JSON.stringify(to)} is a user, and no device is named`, {
      reason: 'device_required',
      hint: "name one with --device, or all with --device '*'",
    });
  }
  return { to: user, device: userDevice(device) };
}

/**
 * Reads the user ID that a message is for.
 * @throws InvalidInputError whose `reason` is an identifier code
 * @see Matrix v1.19, Appendices, "Historical User IDs", which every server has to accept
 */
export function parseAddressee(text: string): UserId {
  try {
    return parseUserId(text, 'historical');
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new InvalidInputError(error.message, {
      ...(error.reason === undefined ? {} : { reason: error.reason }),
      hint: 'write @:example.org for a server, @name:example.org for a user',
      cause: error,
    });
  }
}

/** What is allowed and advised against in a recipient (R-3): sentences, lower case, no full stop. */
export function recipientWarnings({ to, device }: Recipient): string[] {
  const warnings: string[] = [];
  if (!gradeUserId(to).grammars.msc4246.valid) {
    warnings.push(`${to} is a historical user ID: its localpart has characters that are no longer allowed`);
  }
  if (isServerUser(to) && device === WILDCARD_DEVICE) {
    warnings.push(
      'a server user has one device, "", and a homeserver that does not know MSC4246 passes "*" on as it is',
    );
  }
  return warnings;
}

/**
 * Reads an event type.
 * @throws InvalidInputError when it is empty or cannot be a segment of a URL's path
 */
export function parseEventType(text: string): EventType {
  return parseSegment(text, 'event type') as EventType;
}

/** What is allowed and advised against in an event type (R-4; MSC4246, "Unstable prefix"). */
export function eventTypeWarnings(type: EventType): string[] {
  const warnings: string[] = [];
  if (type.startsWith('m.')) {
    warnings.push(
      `the type ${type} has no prefix, and m.* belongs to the specification: ` +
        'until a proposal is accepted, write it like org.example.type or org.matrix.mscNNNN.type',
    );
  }
  if (bytesAbove(ADVISED_TYPE_BYTES, type) !== undefined) {
    warnings.push(`the type is longer than ${ADVISED_TYPE_BYTES} bytes, the limit for events in rooms`);
  }
  return warnings;
}

/**
 * Reads a transaction ID.
 * @throws InvalidInputError when it is empty or cannot be a segment of a URL's path
 */
export function parseTransactionId(text: string): TransactionId {
  return parseSegment(text, 'transaction ID') as TransactionId;
}

/**
 * Reads the content of a message and gives it in canonical form, in which it is sent: `1.0`, `1e3` and `-0`
 * become `1`, `1000` and `0`. What has no such form breaks the signature as soon as it federates, at the
 * homeserver of the sender.
 *
 * @throws InvalidInputError whose `reason` is `not_json`, `not_an_object`, `too_long` or a `CanonicalReason`;
 *   `at` is a JSON pointer, and the message names it
 * @see Matrix v1.19, Appendices, "Canonical JSON"; MSC4514 for the limit
 */
export function parseContent(text: string): JsonText {
  return canonicalContent(parseDocument(text, 'the content'));
}

/**
 * The same for content that is part of a larger document, from `at` (a JSON pointer) on.
 * @throws InvalidInputError like `parseContent`
 */
export function canonicalContent(node: JsonNode, at = ''): JsonText {
  if (node.kind !== 'object') {
    throw contentError('not_an_object', at, `it is ${KIND_NAMES[node.kind]}, not an object`);
  }
  const content = writeCanonical(node, at);
  const bytes = bytesAbove(MAX_CONTENT_BYTES, content);
  if (bytes !== undefined) {
    throw contentError(
      'too_long',
      at,
      `in canonical form it has ${bytes} bytes, and no more than ${MAX_CONTENT_BYTES} are allowed`,
    );
  }
  return content;
}

/** What is allowed and advised against in content. */
export function contentWarnings(content: JsonText): string[] {
  const bytes = bytesAbove(ADVISED_CONTENT_BYTES, content);
  if (bytes === undefined) return [];
  return [`the content has ${bytes} bytes, close to the ${MAX_CONTENT_BYTES} above which servers refuse it`];
}

/** What is allowed and advised against in any part of a message. */
export function messageWarnings({ recipient, type, content }: OutgoingMessage): string[] {
  return [...recipientWarnings(recipient), ...eventTypeWarnings(type), ...contentWarnings(content)];
}

/**
 * Parses a JSON document that a user gave.
 * @param what what it is, for the error: "the content"
 * @throws InvalidInputError with `reason` `not_json`; the message names the column, and the line if there are several
 */
export function parseDocument(text: string, what: string): JsonNode {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new InvalidInputError(`${what} is not JSON: ${error.message}, at ${placeIn(text, error.offset)}`, {
      reason: 'not_json',
      hint: 'write one JSON object, for example {"key":"value"}',
      cause: error,
    });
  }
}

/**
 * The value of `messages` in a request: `{ user: { device: content } }`.
 * @see Client-Server API v1.19, `PUT /sendToDevice`; MSC4246, "Proposal", the first example (R-2)
 */
export function encodeMessages({ to, device }: Recipient, content: JsonText): JsonText {
  return `{${JSON.stringify(to)}:{${JSON.stringify(device)}:${content}}}` as JsonText;
}

/** The same for several recipients: `{ user: { device: content } }`. Order is kept. */
export function encodeAllMessages(messages: Messages): JsonText {
  const users = [...messages].map(([userId, devices]) => {
    const contents = [...devices].map(([deviceId, content]) => `${JSON.stringify(deviceId)}:${content}`);
    return `${JSON.stringify(userId)}:{${contents.join(',')}}`;
  });
  return `{${users.join(',')}}` as JsonText;
}

function serverDevice(device: string | undefined): Recipient['device'] {
  if (device === undefined || device === SERVER_DEVICE_ID) return SERVER_DEVICE_ID;
  if (device === WILDCARD_DEVICE) return WILDCARD_DEVICE;
  throw new InvalidInputError(`a server user has one device, "", and ${JSON.stringify(device)} is another`, {
    reason: 'server_device',
    hint: 'leave --device out',
  });
}

function userDevice(device: string): Recipient['device'] {
  if (device === WILDCARD_DEVICE) return WILDCARD_DEVICE;
  if (device === SERVER_DEVICE_ID) {
    throw new InvalidInputError('the device "" is reserved for servers', {
      reason: 'E_DEVICE_EMPTY',
      hint: "name a device with --device, or all with --device '*'",
    });
  }
  return parseDeviceId(device);
}

/** `.` and `..` are segments that every URL parser resolves away, also percent-encoded (URL Standard, 4.4). */
function parseSegment(text: string, what: string): string {
  if (text === '') throw new InvalidInputError(`the ${what} is empty`, { reason: 'empty' });
  if (!text.isWellFormed()) {
    throw new InvalidInputError(`the ${what} holds half of a surrogate pair`, { reason: 'lone_surrogate' });
  }
  if (text === '.' || text === '..') {
    throw new InvalidInputError(`the ${what} "${text}" cannot stand in the path of a URL`, {
      reason: 'dot_segment',
    });
  }
  return text;
}

function writeCanonical(node: JsonNode, at: string): JsonText {
  try {
    return canonicalJson(node);
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error;
    throw contentError(error.reason, at + error.at, error.message);
  }
}

function contentError(reason: string, at: string, message: string): InvalidInputError {
  return new InvalidInputError(`the content cannot be sent: ${message}${at === '' ? '' : `, at ${at}`}`, {
    reason,
    at,
    ...(CONTENT_HINTS[reason] === undefined ? {} : { hint: CONTENT_HINTS[reason] }),
  });
}

/** A text of one line may stand on any line of a file: of that the one who reads the file tells. */
function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const column = `column ${offset - before.lastIndexOf('\n')}`;
  return text.includes('\n') ? `line ${before.split('\n').length}, ${column}` : column;
}

/** How many bytes of UTF-8 `text` has, if more than `limit`. A code unit has three at most: short ones are not counted. */
function bytesAbove(limit: number, text: string): number | undefined {
  if (text.length * 3 <= limit) return undefined;
  const bytes = new TextEncoder().encode(text).byteLength;
  return bytes > limit ? bytes : undefined;
}

const CONTENT_HINTS: Readonly<Record<string, string>> = {
  not_an_object: 'write one JSON object, for example {"key":"value"}',
  fraction: 'send it as a string, or scaled: Matrix has integers only',
  integer_range: 'send it as a string',
  lone_surrogate: 'send the two halves together, or the bytes in base64',
  duplicate_key: 'keep one of the two',
  too_long: 'split it, or send a reference to it',
};

const KIND_NAMES = {
  array: 'an array',
  string: 'a string',
  number: 'a number',
  boolean: 'a boolean',
  null: 'null',
} as const;

/** The limit of Synapse for one message, and of MSC4514 for one EDU. */
export const MAX_CONTENT_BYTES = 65_536;
const ADVISED_CONTENT_BYTES = 60_000;
/** Client-Server API v1.19, "Size limits": for events in rooms; nothing is said of to-device events. */
const ADVISED_TYPE_BYTES = 255;
