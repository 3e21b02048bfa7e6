/** `PUT /_matrix/client/v3/sendToDevice/{eventType}/{txnId}` */
import { MAX_CONTENT_BYTES } from '../../../todevice/message.js';
import type { Messages } from '../../../todevice/split.js';
import { CanonicalJsonError, canonicalJson } from '../../../wire/canonical-json.js';
import { encodeJson, jsonTextOf, type JsonNode, type JsonObject, type JsonText } from '../../../wire/json.js';
import { objectField } from '../../body.js';
import { NOT_EMPTY, authenticated, stable } from '../../endpoint.js';
import { Refusal, badJson, missingParam } from '../../refusal.js';

/**
 * Accepts `{messages:{userId:{deviceId:content}}}`. The answer says that it was accepted, and nothing of the users
 * and devices named.
 *
 * The sender is who holds the access token, whatever the body says.
 *
 * @see Client-Server API v1.19, "Send-to-Device messaging"; MSC4246, "Proposal"
 */
export const sendToDevice = authenticated(
  'PUT',
  [
    ...stable(`/sendToDevice/:eventType/:txnId${NOT_EMPTY}`),
    `/_matrix/client/unstable/sendToDevice/:eventType/:txnId${NOT_EMPTY}`,
  ],
  async (home, call, from) => {
    const messages = parseMessages(call.body());
    await home.delivery.accept({ from, type: call.param('eventType'), messages, path: call.path });
    return jsonTextOf({});
  },
);

function parseMessages(body: JsonObject): Messages {
  const messages = objectField(body, 'messages');
  if (messages === undefined) throw missingParam('messages');
  return new Map(messages.members.map(({ key, value }) => [key, parseDevices(value)]));
}

function parseDevices(devices: JsonNode): ReadonlyMap<string, JsonText> {
  if (devices.kind !== 'object') throw badJson('what stands under a user in messages is no object');
  return new Map(devices.members.map(({ key, value }) => [key, parseContent(value)]));
}

/** The content exactly as it came, on one line. */
function parseContent(content: JsonNode): JsonText {
  if (content.kind !== 'object') throw badJson('the content of a message is no object');
  const text = encodeJson(content);
  if (canonicalBytes(content, text) > MAX_CONTENT_BYTES) {
    throw new Refusal(
      413,
      'M_TOO_LARGE',
      `the content of a message is longer than ${MAX_CONTENT_BYTES} bytes`,
    );
  }
  return text;
}

/**
 * The size that counts. Content without a canonical form (a fraction, an integer beyond 2^53) is passed on all the
 * same, and measured as it is.
 */
function canonicalBytes(content: JsonNode, text: JsonText): number {
  // one character becomes four bytes at most: `1e15` becomes 16 digits, a code unit three bytes
  if (text.length * 4 <= MAX_CONTENT_BYTES) return 0;
  try {
    return Buffer.byteLength(canonicalJson(content));
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error;
    return Buffer.byteLength(text);
  }
}
