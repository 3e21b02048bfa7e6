/**
 * The store that lives as long as the process. Maps all through: user IDs and device IDs come from outside, and
 * `__proto__` is a legal one.
 */
import { openMemoryOutboxStore, type MemoryOutboxStore } from '../federation/memory-outbox-store.js';
import { OUTBOX_LIMITS, type OutboxLimits } from '../federation/outbox-limits.js';
import type { DeviceId } from '../ids/device-id.js';
import type { UserId } from '../ids/user-id.js';
import type { UserMessages } from '../todevice/split.js';
import type { JsonText } from '../wire/json.js';
import { EventQueue } from './event-queue.js';
import { ExpiringMap } from './expiring-map.js';
import { RecentSet } from './recent-set.js';
import {
  PATHS_KEPT,
  algorithmOf,
  RECEIVED_KEPT_MS,
  type Account,
  type ClaimedKey,
  type Delivered,
  type Delivery,
  type Device,
  type DeviceKeys,
  type DeviceRef,
  type EduId,
  type Fact,
  type QueuedEvent,
  type RequestId,
  type Session,
  type Store,
  type TokenPair,
  type TransactionId,
} from './store.js';

/** Opens an empty store. */
export function openMemoryStore(pathsKept = PATHS_KEPT, outboxLimits = OUTBOX_LIMITS): Store {
  return new MemoryStore(pathsKept, outboxLimits);
}

interface AccountRow {
  readonly account: Account;
  readonly devices: Map<DeviceId, DeviceRow>;
  readonly filters: JsonText[];
}

interface DeviceRow {
  device: Device;
  readonly queue: EventQueue;
  readonly transactions: RecentSet;
  readonly pairs: Set<PairRow>;
  keys: { identity: JsonText | undefined; oneTime: KeyMap; fallback: KeyMap } | undefined;
}

type KeyMap = Map<string, JsonText>;

interface PairRow {
  readonly device: DeviceRef;
  readonly tokens: TokenPair;
  /** The pair that was exchanged for this one. */
  replaces: PairRow | undefined;
  /** The pair that this one was exchanged for last. */
  successor: PairRow | undefined;
  used: boolean;
}

class MemoryStore implements Store {
  readonly outbox: MemoryOutboxStore;
  readonly #facts = new Map<Fact, string>();
  readonly #accounts = new Map<UserId, AccountRow>();
  readonly #accessTokens = new Map<string, PairRow>();
  readonly #refreshTokens = new Map<string, PairRow>();
  readonly #edus = new ExpiringMap<true>(RECEIVED_KEPT_MS);
  readonly #answers = new ExpiringMap<JsonText>(RECEIVED_KEPT_MS);
  readonly #pathsKept: number;
  #position = 0;

  constructor(pathsKept: number, outboxLimits: OutboxLimits) {
    this.outbox = openMemoryOutboxStore(outboxLimits);
    this.#pathsKept = pathsKept;
  }

  async fact(name: Fact): Promise<string | undefined> {
    return this.#facts.get(name);
  }

  async keepFact(name: Fact, value: string): Promise<void> {
    this.#facts.set(name, value);
  }

  async createAccount(account: Account): Promise<boolean> {
    if (this.#accounts.has(account.userId)) return false;
    this.#accounts.set(account.userId, { account, devices: new Map(), filters: [] });
    return true;
  }

  async account(userId: UserId): Promise<Account | undefined> {
    return this.#accounts.get(userId)?.account;
  }

  async deleteAccount(userId: UserId): Promise<boolean> {
    for (const device of await this.devices(userId)) await this.deleteDevice(device);
    return this.#accounts.delete(userId);
  }

  async devices(userId: UserId): Promise<readonly Device[]> {
    return [...(this.#accounts.get(userId)?.devices.values() ?? [])].map(({ device }) => device);
  }

  async device(device: DeviceRef): Promise<Device | undefined> {
    return this.#row(device)?.device;
  }

  async renameDevice(device: DeviceRef, displayName: string | undefined): Promise<boolean> {
    const row = this.#row(device);
    if (row === undefined) return false;
    row.device = { ...row.device, displayName };
    return true;
  }

  async deleteDevice(device: DeviceRef): Promise<boolean> {
    const row = this.#row(device);
    if (row === undefined) return false;
    for (const pair of row.pairs) this.#end(row, pair);
    this.#accounts.get(device.userId)?.devices.delete(device.deviceId);
    return true;
  }

  async openSession(
    device: Device,
    tokens: TokenPair,
    { revokeOthers }: { readonly revokeOthers: boolean },
  ): Promise<void> {
    const devices = this.#accounts.get(device.userId)?.devices;
    const row = devices?.get(device.deviceId) ?? {
      device,
      queue: new EventQueue(),
      transactions: new RecentSet(this.#pathsKept),
      pairs: new Set(),
      keys: undefined,
    };
    devices?.set(device.deviceId, row);
    if (revokeOthers) for (const pair of row.pairs) this.#end(row, pair);
    this.#begin(row, { device: row.device, tokens, replaces: undefined, successor: undefined, used: false });
  }

  async useAccessToken(accessTokenHash: string): Promise<Session | undefined> {
    const pair = this.#accessTokens.get(accessTokenHash);
    if (pair === undefined) return undefined;
    this.#use(pair);
    return { device: pair.device, expiresTs: pair.tokens.expiresTs };
  }

  async renewSession(refreshTokenHash: string, tokens: TokenPair): Promise<boolean> {
    const pair = this.#refreshTokens.get(refreshTokenHash);
    const row = pair && this.#row(pair.device);
    if (pair === undefined || row === undefined) return false;
    this.#use(pair);
    if (pair.successor !== undefined) this.#end(row, pair.successor);
    pair.successor = { device: pair.device, tokens, replaces: pair, successor: undefined, used: false };
    this.#begin(row, pair.successor);
    return true;
  }

  async deliver({ sender, type, messages, outgoing, once }: Delivery): Promise<Delivered> {
    if (once !== undefined && this.#isKnown(once)) return { repeated: true, reached: [] };
    this.outbox.put(outgoing ?? new Map()); // first, as it may refuse
    if (once !== undefined) this.#remember(once);
    const reached: DeviceRef[] = [];
    for (const message of messages) {
      for (const [row, content] of this.#recipients(message)) {
        this.#position += 1;
        row.queue.push({ position: this.#position, sender, type, content });
        reached.push(row.device);
      }
    }
    return { repeated: false, reached };
  }

  async hasDelivered({ device, path }: RequestId): Promise<boolean> {
    return this.#row(device)?.transactions.has(path) === true;
  }

  async queued(device: DeviceRef, after: number, limit: number): Promise<readonly QueuedEvent[]> {
    return this.#row(device)?.queue.after(after, limit) ?? [];
  }

  async acknowledge(device: DeviceRef, upTo: number): Promise<void> {
    this.#row(device)?.queue.dropUpTo(upTo);
  }

  async newestPosition(): Promise<number> {
    return this.#position;
  }

  async addKeys(device: DeviceRef, keys: DeviceKeys): Promise<void> {
    const row = this.#row(device);
    if (row === undefined) return;
    const known = row.keys ?? { identity: undefined, oneTime: new Map(), fallback: new Map() };
    row.keys = known;
    known.identity = keys.identity ?? known.identity;
    for (const [keyId, key] of keys.oneTime) known.oneTime.set(keyId, key);
    for (const [keyId, key] of keys.fallback) {
      for (const old of known.fallback.keys()) {
        if (algorithmOf(old) === algorithmOf(keyId)) known.fallback.delete(old);
      }
      known.fallback.set(keyId, key);
    }
  }

  async keys(device: DeviceRef): Promise<DeviceKeys | undefined> {
    return this.#row(device)?.keys;
  }

  async claimKey(device: DeviceRef, algorithm: string): Promise<ClaimedKey | undefined> {
    const keys = this.#row(device)?.keys;
    if (keys === undefined) return undefined;
    const oneTime = firstOf(keys.oneTime, algorithm);
    if (oneTime !== undefined) keys.oneTime.delete(oneTime.keyId);
    return oneTime ?? firstOf(keys.fallback, algorithm);
  }

  async addFilter(userId: UserId, filter: JsonText): Promise<string> {
    const filters = this.#accounts.get(userId)?.filters ?? [];
    const known = filters.indexOf(filter);
    return String(known === -1 ? filters.push(filter) - 1 : known);
  }

  async filter(userId: UserId, filterId: string): Promise<JsonText | undefined> {
    return /^\d{1,9}$/.test(filterId) ? this.#accounts.get(userId)?.filters[Number(filterId)] : undefined;
  }

  async transactionAnswer({ origin, txnId, nowTs }: TransactionId): Promise<JsonText | undefined> {
    return this.#answers.get(`${origin}\0${txnId}`, nowTs);
  }

  async keepTransactionAnswer({ origin, txnId, nowTs }: TransactionId, answer: JsonText): Promise<void> {
    this.#answers.set(`${origin}\0${txnId}`, answer, nowTs);
  }

  async close(): Promise<void> {
    // what it held goes with it
  }

  #row(device: DeviceRef): DeviceRow | undefined {
    return this.#accounts.get(device.userId)?.devices.get(device.deviceId);
  }

  #recipients({ userId, named, others }: UserMessages): [DeviceRow, JsonText][] {
    const recipients: [DeviceRow, JsonText][] = [];
    const devices = this.#accounts.get(userId)?.devices;
    if (devices === undefined) return recipients;
    // an account may have many devices: they are gone through only for a message to all of them
    for (const deviceId of others === undefined ? named.keys() : devices.keys()) {
      const row = devices.get(deviceId);
      const content = named.get(deviceId) ?? others;
      if (row !== undefined && content !== undefined) recipients.push([row, content]);
    }
    return recipients;
  }

  #isKnown(once: RequestId | EduId): boolean {
    if ('origin' in once) return this.#edus.get(eduKey(once), once.nowTs) !== undefined;
    return this.#row(once.device)?.transactions.has(once.path) === true;
  }

  #remember(once: RequestId | EduId): void {
    if ('origin' in once) this.#edus.set(eduKey(once), true, once.nowTs);
    else this.#row(once.device)?.transactions.add(once.path);
  }

  #begin(row: DeviceRow, pair: PairRow): void {
    row.pairs.add(pair);
    this.#accessTokens.set(pair.tokens.accessTokenHash, pair);
    if (pair.tokens.refreshTokenHash !== undefined) {
      this.#refreshTokens.set(pair.tokens.refreshTokenHash, pair);
    }
  }

  #end(row: DeviceRow, pair: PairRow): void {
    row.pairs.delete(pair);
    this.#accessTokens.delete(pair.tokens.accessTokenHash);
    if (pair.tokens.refreshTokenHash !== undefined) this.#refreshTokens.delete(pair.tokens.refreshTokenHash);
  }

  /**
   * The first use of a pair ends the refresh token that it was exchanged for. That one's access token lives on
   * until it expires, for requests that are under way; the access token before it goes.
   */
  #use(pair: PairRow): void {
    const old = pair.replaces;
    const row = this.#row(pair.device);
    if (pair.used || old === undefined || row === undefined) return;
    pair.used = true;
    if (old.tokens.refreshTokenHash !== undefined) this.#refreshTokens.delete(old.tokens.refreshTokenHash);
    if (old.replaces !== undefined) this.#end(row, old.replaces);
    old.replaces = undefined;
  }
}

/** NUL stands in no server name, so the key is unambiguous. */
function eduKey({ origin, messageId }: EduId): string {
  return `${origin}\0${messageId}`;
}

function firstOf(keys: ReadonlyMap<string, JsonText>, algorithm: string): ClaimedKey | undefined {
  for (const [keyId, key] of keys) if (algorithmOf(keyId) === algorithm) return { keyId, key };
  return undefined;
}
