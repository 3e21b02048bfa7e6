/**
 * The store that survives: one SQLite file. Every method is one transaction.
 *
 * Invariant: there is no table for messages to `@:self`, and nothing that could hold one.
 */
import { OUTBOX_LIMITS, type OutboxLimits } from '../federation/outbox-limits.js';
import type { DeviceId } from '../ids/device-id.js';
import type { UserId } from '../ids/user-id.js';
import type { UserMessages } from '../todevice/split.js';
import type { JsonText } from '../wire/json.js';
import { Database, type SqlRow } from './database.js';
import { SqliteOutbox } from './sqlite-outbox.js';
import { SqliteReceived } from './sqlite-received.js';
import { SCHEMA } from './sqlite-schema.js';
import {
  PATHS_KEPT,
  algorithmOf,
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

/**
 * Opens the store in a file, which is made when it is not there. The caller holds a lock on the file.
 * @throws UnreadableFileError when it is no store of ours
 */
export async function openSqliteStore(
  file: string,
  pathsKept = PATHS_KEPT,
  outboxLimits = OUTBOX_LIMITS,
): Promise<Store> {
  return new SqliteStore(await Database.open(file, SCHEMA), pathsKept, outboxLimits);
}

class SqliteStore implements Store {
  readonly outbox: SqliteOutbox;
  readonly #received: SqliteReceived;
  readonly #db: Database;
  readonly #pathsKept: number;

  constructor(db: Database, pathsKept: number, outboxLimits: OutboxLimits) {
    this.outbox = new SqliteOutbox(db, outboxLimits);
    this.#received = new SqliteReceived(db);
    this.#db = db;
    this.#pathsKept = pathsKept;
  }

  async fact(name: Fact): Promise<string | undefined> {
    return this.#db.get('SELECT value FROM facts WHERE name = ?', name)?.['value'] as string | undefined;
  }

  async keepFact(name: Fact, value: string): Promise<void> {
    const sql =
      'INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value';
    this.#db.run(sql, name, value);
  }

  async createAccount({ userId, passwordHash }: Account): Promise<boolean> {
    const sql = 'INSERT INTO accounts (user_id, password_hash) VALUES (?, ?) ON CONFLICT DO NOTHING';
    return this.#db.run(sql, userId, passwordHash ?? null) === 1;
  }

  async account(userId: UserId): Promise<Account | undefined> {
    const row = this.#db.get('SELECT password_hash FROM accounts WHERE user_id = ?', userId);
    return row && { userId, passwordHash: textOf(row, 'password_hash') };
  }

  /** All that the account has goes with it: the rows refer to it. */
  async deleteAccount(userId: UserId): Promise<boolean> {
    const deleted = this.#db.run('DELETE FROM accounts WHERE user_id = ?', userId) === 1;
    if (deleted) this.#db.shedTraces();
    return deleted;
  }

  async devices(userId: UserId): Promise<readonly Device[]> {
    return this.#db
      .all('SELECT device_id, display_name FROM devices WHERE user_id = ? ORDER BY id', userId)
      .map((row) => deviceOf(userId, row));
  }

  async device({ userId, deviceId }: DeviceRef): Promise<Device | undefined> {
    const sql = 'SELECT device_id, display_name FROM devices WHERE user_id = ? AND device_id = ?';
    const row = this.#db.get(sql, userId, deviceId);
    return row && deviceOf(userId, row);
  }

  async renameDevice({ userId, deviceId }: DeviceRef, displayName: string | undefined): Promise<boolean> {
    const sql = 'UPDATE devices SET display_name = ? WHERE user_id = ? AND device_id = ?';
    return this.#db.run(sql, displayName ?? null, userId, deviceId) === 1;
  }

  /** Tokens, queue, keys and transaction IDs go with the device: their rows refer to it. */
  async deleteDevice({ userId, deviceId }: DeviceRef): Promise<boolean> {
    return this.#db.run('DELETE FROM devices WHERE user_id = ? AND device_id = ?', userId, deviceId) === 1;
  }

  async openSession(
    device: Device,
    tokens: TokenPair,
    { revokeOthers }: { readonly revokeOthers: boolean },
  ): Promise<void> {
    const { userId, deviceId, displayName } = device;
    this.#db.atomic(() => {
      this.#db.run(
        'INSERT INTO devices (user_id, device_id, display_name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        userId,
        deviceId,
        displayName ?? null,
      );
      const id = this.#idOf(device);
      if (id === undefined) return;
      if (revokeOthers) this.#db.run('DELETE FROM sessions WHERE device = ?', id);
      this.#begin(id, tokens, null);
    });
  }

  async useAccessToken(accessTokenHash: string): Promise<Session | undefined> {
    const row = this.#db.get(
      `SELECT sessions.id, used, expires_ts, user_id, device_id
       FROM sessions JOIN devices ON devices.id = sessions.device WHERE access_hash = ?`,
      accessTokenHash,
    );
    if (row === undefined) return undefined;
    if (row['used'] === 0) this.#db.atomic(() => this.#use(Number(row['id'])));
    const device = { userId: row['user_id'] as UserId, deviceId: row['device_id'] as DeviceId };
    return { device, expiresTs: numberOf(row, 'expires_ts') };
  }

  async renewSession(refreshTokenHash: string, tokens: TokenPair): Promise<boolean> {
    return this.#db.atomic(() => {
      const row = this.#db.get('SELECT id, device FROM sessions WHERE refresh_hash = ?', refreshTokenHash);
      if (row === undefined) return false;
      const id = Number(row['id']);
      this.#use(id);
      this.#db.run('DELETE FROM sessions WHERE replaces = ?', id);
      this.#begin(Number(row['device']), tokens, id);
      return true;
    });
  }

  async deliver({ sender, type, messages, outgoing, once }: Delivery): Promise<Delivered> {
    return this.outbox.atomic(() => {
      if (once !== undefined && !this.#firstTime(once)) return { repeated: true, reached: [] };
      const reached: DeviceRef[] = [];
      for (const message of messages) {
        for (const [id, device, content] of this.#recipients(message)) {
          this.#db.run(
            'INSERT INTO queue (device, sender, type, content) VALUES (?, ?, ?, ?)',
            id,
            sender,
            type,
            content,
          );
          reached.push(device);
        }
      }
      if (outgoing !== undefined) this.outbox.put(outgoing);
      return { repeated: false, reached };
    });
  }

  async hasDelivered({ device, path }: RequestId): Promise<boolean> {
    const id = this.#idOf(device);
    const sql = 'SELECT number FROM transactions WHERE device = ? AND path = ?';
    return id !== undefined && this.#db.get(sql, id, path) !== undefined;
  }

  async queued(device: DeviceRef, after: number, limit: number): Promise<readonly QueuedEvent[]> {
    return this.#db
      .all(
        `SELECT position, sender, type, content FROM queue
         WHERE device = (SELECT id FROM devices WHERE user_id = ? AND device_id = ?) AND position > ?
         ORDER BY position LIMIT ?`,
        device.userId,
        device.deviceId,
        after,
        limit,
      )
      .map((row) => ({
        position: Number(row['position']),
        sender: row['sender'] as UserId,
        type: String(row['type']),
        content: row['content'] as JsonText,
      }));
  }

  async acknowledge({ userId, deviceId }: DeviceRef, upTo: number): Promise<void> {
    this.#db.run(
      `DELETE FROM queue
       WHERE device = (SELECT id FROM devices WHERE user_id = ? AND device_id = ?) AND position <= ?`,
      userId,
      deviceId,
      upTo,
    );
  }

  async newestPosition(): Promise<number> {
    return Number(this.#db.get("SELECT seq FROM sqlite_sequence WHERE name = 'queue'")?.['seq'] ?? 0);
  }

  async addKeys(device: DeviceRef, { identity, oneTime, fallback }: DeviceKeys): Promise<void> {
    this.#db.atomic(() => {
      const id = this.#idOf(device);
      if (id === undefined) return;
      // also a device that published nothing but one-time keys has published keys
      this.#db.run('UPDATE devices SET has_keys = 1 WHERE id = ?', id);
      if (identity !== undefined)
        this.#db.run('UPDATE devices SET identity_keys = ? WHERE id = ?', identity, id);
      for (const [keyId, key] of oneTime) this.#addKey(id, 'one_time', keyId, key);
      for (const [keyId, key] of fallback) {
        const sql = "DELETE FROM keys WHERE device = ? AND use = 'fallback' AND algorithm = ?";
        this.#db.run(sql, id, algorithmOf(keyId));
        this.#addKey(id, 'fallback', keyId, key);
      }
    });
  }

  async keys({ userId, deviceId }: DeviceRef): Promise<DeviceKeys | undefined> {
    const sql = 'SELECT id, identity_keys, has_keys FROM devices WHERE user_id = ? AND device_id = ?';
    const row = this.#db.get(sql, userId, deviceId);
    if (row === undefined || row['has_keys'] === 0) return undefined;
    const id = Number(row['id']);
    const keysFor = (use: KeyUse): ReadonlyMap<string, JsonText> =>
      new Map(
        this.#db
          .all('SELECT key_id, key FROM keys WHERE device = ? AND use = ? ORDER BY id', id, use)
          .map((key) => [String(key['key_id']), key['key'] as JsonText]),
      );
    return {
      identity: textOf(row, 'identity_keys') as JsonText | undefined,
      oneTime: keysFor('one_time'),
      fallback: keysFor('fallback'),
    };
  }

  async claimKey(device: DeviceRef, algorithm: string): Promise<ClaimedKey | undefined> {
    return this.#db.atomic(() => {
      const id = this.#idOf(device);
      if (id === undefined) return undefined;
      const row = this.#db.get(
        "SELECT id, use, key_id, key FROM keys WHERE device = ? AND algorithm = ? ORDER BY use = 'fallback', id LIMIT 1",
        id,
        algorithm,
      );
      if (row === undefined) return undefined;
      if (row['use'] === 'one_time') this.#db.run('DELETE FROM keys WHERE id = ?', Number(row['id']));
      return { keyId: String(row['key_id']), key: row['key'] as JsonText };
    });
  }

  async addFilter(userId: UserId, filter: JsonText): Promise<string> {
    return this.#db.atomic(() => {
      const known = this.#db.get(
        'SELECT number FROM filters WHERE user_id = ? AND filter = ?',
        userId,
        filter,
      );
      if (known !== undefined) return String(known['number']);
      const next = Number(
        this.#db.get('SELECT count(*) AS number FROM filters WHERE user_id = ?', userId)?.['number'],
      );
      this.#db.run('INSERT INTO filters (user_id, number, filter) VALUES (?, ?, ?)', userId, next, filter);
      return String(next);
    });
  }

  async filter(userId: UserId, filterId: string): Promise<JsonText | undefined> {
    if (!/^\d{1,9}$/.test(filterId)) return undefined;
    const sql = 'SELECT filter FROM filters WHERE user_id = ? AND number = ?';
    return this.#db.get(sql, userId, Number(filterId))?.['filter'] as JsonText | undefined;
  }

  async transactionAnswer(transaction: TransactionId): Promise<JsonText | undefined> {
    return this.#received.answer(transaction);
  }

  async keepTransactionAnswer(transaction: TransactionId, answer: JsonText): Promise<void> {
    this.#received.keepAnswer(transaction, answer);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #idOf({ userId, deviceId }: DeviceRef): number | undefined {
    const row = this.#db.get('SELECT id FROM devices WHERE user_id = ? AND device_id = ?', userId, deviceId);
    return row && Number(row['id']);
  }

  #recipients({ userId, named, others }: UserMessages): [number, DeviceRef, JsonText][] {
    const recipient = (row: SqlRow): [number, DeviceRef, JsonText][] => {
      const deviceId = row['device_id'] as DeviceId;
      const content = named.get(deviceId) ?? others;
      return content === undefined ? [] : [[Number(row['id']), { userId, deviceId }, content]];
    };
    // an account may have many devices: they are gone through only for a message to all of them
    if (others === undefined) {
      const sql = 'SELECT id, device_id FROM devices WHERE user_id = ? AND device_id = ?';
      return [...named.keys()].flatMap((deviceId) => this.#db.all(sql, userId, deviceId).flatMap(recipient));
    }
    const sql = 'SELECT id, device_id FROM devices WHERE user_id = ? ORDER BY id';
    return this.#db.all(sql, userId).flatMap(recipient);
  }

  #firstTime(once: RequestId | EduId): boolean {
    return 'origin' in once ? this.#received.isNewEdu(once) : this.#isNewRequest(once);
  }

  #isNewRequest({ device, path }: RequestId): boolean {
    const id = this.#idOf(device);
    if (id === undefined) return true;
    const newest = this.#db.get('SELECT max(number) AS number FROM transactions WHERE device = ?', id);
    const number = Number(newest?.['number'] ?? 0) + 1;
    const sql = 'INSERT INTO transactions (device, number, path) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
    if (this.#db.run(sql, id, number, path) === 0) return false;
    this.#db.run('DELETE FROM transactions WHERE device = ? AND number <= ?', id, number - this.#pathsKept);
    return true;
  }

  #begin(
    device: number,
    { accessTokenHash, refreshTokenHash, expiresTs }: TokenPair,
    replaces: number | null,
  ): void {
    this.#db.run(
      'INSERT INTO sessions (device, access_hash, refresh_hash, expires_ts, replaces) VALUES (?, ?, ?, ?, ?)',
      device,
      accessTokenHash,
      refreshTokenHash ?? null,
      expiresTs ?? null,
      replaces,
    );
  }

  /**
   * The first use of a pair ends the refresh token that it was exchanged for. That one's access token lives on
   * until it expires, for requests that are under way; the access token before it goes.
   */
  #use(id: number): void {
    const row = this.#db.get('SELECT used, replaces FROM sessions WHERE id = ?', id);
    if (row?.['used'] !== 0) return;
    this.#db.run('UPDATE sessions SET used = 1 WHERE id = ?', id);
    const old = numberOf(row, 'replaces');
    if (old === undefined) return;
    this.#db.run('DELETE FROM sessions WHERE id = (SELECT replaces FROM sessions WHERE id = ?)', old);
    this.#db.run('UPDATE sessions SET refresh_hash = NULL WHERE id = ?', old);
  }

  #addKey(device: number, use: KeyUse, keyId: string, key: JsonText): void {
    this.#db.run(
      `INSERT INTO keys (device, use, algorithm, key_id, key) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (device, use, key_id) DO UPDATE SET key = excluded.key`,
      device,
      use,
      algorithmOf(keyId),
      keyId,
      key,
    );
  }
}

type KeyUse = 'one_time' | 'fallback';

function deviceOf(userId: UserId, row: SqlRow): Device {
  return { userId, deviceId: row['device_id'] as DeviceId, displayName: textOf(row, 'display_name') };
}

function textOf(row: SqlRow, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}

function numberOf(row: SqlRow, column: string): number | undefined {
  const value = row[column];
  return typeof value === 'number' ? value : undefined;
}
