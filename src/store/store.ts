/**
 * What the embedded homeserver remembers, as an interface: accounts, devices, tokens, message queues, what is on its
 * way to other servers and what came from them.
 *
 * Every method is atomic: it happens whole or not at all, and no other call sees half of it. Tokens are
 * known by their hashes only. There is never a row for a message to `@:self`: such messages do not come here
 * (R-31; MSC4246, "Security considerations").
 */
import type { OutboxStore } from '../federation/outbox-store.js';
import type { DeviceId } from '../ids/device-id.js';
import type { ServerName } from '../ids/server-name.js';
import type { UserId } from '../ids/user-id.js';
import type { UserMessages } from '../todevice/split.js';
import type { JsonText } from '../wire/json.js';

/** One device of one local account: what owns tokens, a queue, keys and transaction IDs. */
export interface DeviceRef {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

export interface Account {
  readonly userId: UserId;
  /** As `hashPassword` made it; undefined for an account that nobody can log in to with a password. */
  readonly passwordHash: string | undefined;
}

export interface Device extends DeviceRef {
  readonly displayName: string | undefined;
}

/** An access token and, for clients that can refresh, its refresh token: both as hashes. */
export interface TokenPair {
  readonly accessTokenHash: string;
  /** When the access token expires, in milliseconds since the epoch; undefined for never. */
  readonly expiresTs: number | undefined;
  readonly refreshTokenHash: string | undefined;
}

/** What an access token stands for. */
export interface Session {
  readonly device: DeviceRef;
  readonly expiresTs: number | undefined;
}

/** One message in a device's queue. */
export interface QueuedEvent {
  /** Grows over all queues together and is never given twice, also not to a device made anew. */
  readonly position: number;
  readonly sender: UserId;
  readonly type: string;
  readonly content: JsonText;
}

/** What one sender puts into queues with one request, or one EDU. */
export interface Delivery {
  readonly sender: UserId;
  readonly type: string;
  readonly messages: readonly UserMessages[];
  /** EDUs for other servers, each at the end of its queue in the outbox. */
  readonly outgoing?: ReadonlyMap<ServerName, readonly JsonText[]> | undefined;
  /** Makes it happen once: a second delivery of the same does nothing. */
  readonly once?: RequestId | EduId | undefined;
}

/**
 * What makes a client's request the same as another: its path holds the event type and the transaction ID (R-15;
 * Client-Server API v1.19, "Transaction identifiers").
 */
export interface RequestId {
  readonly device: DeviceRef;
  readonly path: string;
}

/** What makes an EDU the same as another. Forgotten after 7 days. */
export interface EduId {
  readonly origin: ServerName;
  readonly messageId: string;
  /** When it came, in milliseconds since the epoch. */
  readonly nowTs: number;
}

/** What makes another server's transaction the same as another. Forgotten after 7 days. */
export interface TransactionId {
  readonly origin: ServerName;
  readonly txnId: string;
  readonly nowTs: number;
}

export interface Delivered {
  /** True when `once` was seen before, and nothing happened. */
  readonly repeated: boolean;
  /** The devices whose queues grew. */
  readonly reached: readonly DeviceRef[];
}

/** What a device published for end-to-end encryption; all of it is passed on as it came. */
export interface DeviceKeys {
  readonly identity: JsonText | undefined;
  /** Key ID (`signed_curve25519:AAAA`) to key. */
  readonly oneTime: ReadonlyMap<string, JsonText>;
  readonly fallback: ReadonlyMap<string, JsonText>;
}

export interface ClaimedKey {
  readonly keyId: string;
  readonly key: JsonText;
}

/**
 * What the server knows of itself: its name, its signing key (as the text of a key file), and the device of each user
 * that was made at a start.
 */
export type Fact = 'server_name' | 'signing_key' | `device_of ${UserId}`;

export interface Store {
  fact(name: Fact): Promise<string | undefined>;
  keepFact(name: Fact, value: string): Promise<void>;

  /** False when the account is there already, and nothing changed. */
  createAccount(account: Account): Promise<boolean>;
  account(userId: UserId): Promise<Account | undefined>;
  /**
   * Deletes an account with its devices and all they have, and leaves no trace of their messages in a file. False
   * when there is no such account.
   */
  deleteAccount(userId: UserId): Promise<boolean>;

  /** The devices of one account, in the order they were made. */
  devices(userId: UserId): Promise<readonly Device[]>;
  device(device: DeviceRef): Promise<Device | undefined>;
  /** False when there is no such device. */
  renameDevice(device: DeviceRef, displayName: string | undefined): Promise<boolean>;
  /** Deletes a device with its tokens, queue, keys and transaction IDs. False when there is no such device. */
  deleteDevice(device: DeviceRef): Promise<boolean>;

  /**
   * Gives a device of an existing account a pair of tokens, and makes the device unless it is there. A known
   * device keeps its display name. `revokeOthers` ends the device's earlier tokens.
   */
  openSession(device: Device, tokens: TokenPair, options: { readonly revokeOthers: boolean }): Promise<void>;
  /**
   * Looks up an access token, expired or not. Using one ends the refresh token that it was renewed with.
   * @see Client-Server API v1.19, "Refreshing access tokens"
   */
  useAccessToken(accessTokenHash: string): Promise<Session | undefined>;
  /**
   * Exchanges a refresh token for a new pair. The old refresh token stays good until the new pair is used; used
   * again before that, it voids the pair given first. False when the refresh token is unknown or over.
   */
  renewSession(refreshTokenHash: string, tokens: TokenPair): Promise<boolean>;

  /** Was this request delivered before? */
  hasDelivered(request: RequestId): Promise<boolean>;
  /**
   * Puts messages into the queues of the devices that exist, drops the rest, and EDUs into the outbox.
   * @throws OutboxFullError when too much waits for a server; then nothing has happened, and it is no repeat next time
   */
  deliver(delivery: Delivery): Promise<Delivered>;
  /** The oldest events after a position, at most `limit`. Changes nothing. */
  queued(device: DeviceRef, after: number, limit: number): Promise<readonly QueuedEvent[]>;
  /** Deletes the events up to and including a position. */
  acknowledge(device: DeviceRef, upTo: number): Promise<void>;
  /** The highest position ever given; 0 when there is none. */
  newestPosition(): Promise<number>;

  /** Replaces the identity keys and fallback keys that are given, and adds the one-time keys. */
  addKeys(device: DeviceRef, keys: DeviceKeys): Promise<void>;
  keys(device: DeviceRef): Promise<DeviceKeys | undefined>;
  /** Takes a one-time key of an algorithm, or shows the fallback key. Undefined when there is neither. */
  claimKey(device: DeviceRef, algorithm: string): Promise<ClaimedKey | undefined>;

  /** Keeps a filter and gives its ID; the same filter has the same ID. */
  addFilter(userId: UserId, filter: JsonText): Promise<string>;
  filter(userId: UserId, filterId: string): Promise<JsonText | undefined>;

  /** What is on its way to other servers. */
  readonly outbox: OutboxStore;
  /** What a transaction of another server was answered with; undefined when it has not been seen. */
  transactionAnswer(transaction: TransactionId): Promise<JsonText | undefined>;
  keepTransactionAnswer(transaction: TransactionId, answer: JsonText): Promise<void>;

  /** Ends the store; nothing but this may be asked of it afterwards. */
  close(): Promise<void>;
}

/** How many requests a device is remembered for. A retry comes within seconds, not 100 000 sends later. */
export const PATHS_KEPT = 100_000;
/** How long what came from other servers is remembered. Others repeat what they sent for no longer either. */
export const RECEIVED_KEPT_MS = 7 * 24 * 3_600_000;

/** Key IDs are `algorithm:id`. */
export function algorithmOf(keyId: string): string {
  return keyId.slice(0, keyId.indexOf(':'));
}
