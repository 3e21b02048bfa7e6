/**
 * From one message to the EDUs that carry it to one server. Pure.
 *
 * @see Server-Server API v1.19, "Send-to-device messaging"; MSC4514 for the size of an EDU
 */
import type { UserId } from '../ids/user-id.js';
import { encodeDirectToDevice } from '../todevice/edu.js';
import type { RemoteMessages } from '../todevice/split.js';
import { canonicalJson, CanonicalJsonError, type CanonicalReason } from '../wire/canonical-json.js';
import { JsonSyntaxError, MAX_DEPTH, parseJson, type JsonText } from '../wire/json.js';

export interface RemoteMessage {
  readonly sender: UserId;
  readonly type: string;
  /** What is for users of one other server. */
  readonly users: RemoteMessages;
}

export interface FanOut {
  /** In the order of the message; canonical, each of at most 65 536 bytes, with a message ID of its own. */
  readonly edus: readonly JsonText[];
  readonly rejected: readonly RejectedContent[];
}

/** Content that cannot be sent to another server. */
export interface RejectedContent {
  readonly userId: UserId;
  readonly deviceId: string;
  readonly reason: RejectionReason;
}

/**
 * Why it cannot be sent. `too_large`: it does not fit into an EDU by itself. `too_deep`: with what is put around it,
 * it would nest deeper than receivers read. Else why it cannot be signed.
 */
export type RejectionReason = CanonicalReason | 'too_large' | 'too_deep';

/**
 * Puts a message into as few EDUs as its order allows.
 *
 * Content is written canonically: other servers would read `1.0` as another number than we do, and refuse the
 * signature of the whole transaction.
 *
 * @param freshMessageId gives a message ID never used before, of at most 32 code points
 */
export function fanOut({ sender, type, users }: RemoteMessage, freshMessageId: () => string): FanOut {
  const edus: JsonText[] = [];
  const rejected: RejectedContent[] = [];
  const open = (): OpenEdu => new OpenEdu(sender, type, freshMessageId());
  let edu = open();
  for (const [userId, devices] of users) {
    for (const [deviceId, content] of devices) {
      const { text, reason } = canonicalContent(content);
      if (text === undefined) {
        rejected.push({ userId, deviceId, reason });
        continue;
      }
      if (edu.add(userId, deviceId, text)) continue;
      if (!edu.isEmpty) {
        edus.push(edu.text());
        edu = open();
      }
      if (!edu.add(userId, deviceId, text)) rejected.push({ userId, deviceId, reason: 'too_large' });
    }
  }
  if (!edu.isEmpty) edus.push(edu.text());
  return { edus, rejected };
}

/** An EDU that takes contents as long as there is room. */
class OpenEdu {
  readonly #head: { readonly sender: UserId; readonly type: string; readonly messageId: string };
  readonly #users = new Map<UserId, Map<string, JsonText>>();
  #bytes: number;

  constructor(sender: UserId, type: string, messageId: string) {
    this.#head = { sender, type, messageId };
    this.#bytes = Buffer.byteLength(this.text());
  }

  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  /** Adds `content`; false, and nothing is added, when it does not fit. */
  add(userId: UserId, deviceId: string, content: JsonText): boolean {
    const devices = this.#users.get(userId);
    const entry = `${JSON.stringify(deviceId)}:${content}`;
    const added = devices === undefined ? `${JSON.stringify(userId)}:{${entry}}` : entry;
    const bytes = this.#bytes + Buffer.byteLength(added) + (this.isEmpty ? 0 : COMMA_BYTES);
    if (bytes > MAX_EDU_BYTES) return false;
    this.#bytes = bytes;
    if (devices === undefined) this.#users.set(userId, new Map([[deviceId, content]]));
    else devices.set(deviceId, content);
    return true;
  }

  text(): JsonText {
    return canonicalJson(parseJson(encodeDirectToDevice({ ...this.#head, messages: this.#users })));
  }
}

function canonicalContent(
  content: JsonText,
): { text: JsonText; reason?: never } | { text?: never; reason: RejectionReason } {
  try {
    return { text: canonicalJson(parseJson(content, MAX_DEPTH - LEVELS_AROUND)) };
  } catch (error) {
    if (error instanceof CanonicalJsonError) return { reason: error.reason };
    if (error instanceof JsonSyntaxError) return { reason: 'too_deep' }; // it is JSON
    throw error;
  }
}

/** Transaction, `edus`, EDU, `content`, `messages`, user. */
const LEVELS_AROUND = 6;

const MAX_EDU_BYTES = 65_536;
const COMMA_BYTES = 1;
