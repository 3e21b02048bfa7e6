/** The outbox in a SQLite file: what is for other servers outlives the process. */
import {
  NOTHING_WAITS,
  OUTBOX_LIMITS,
  OutboxFullError,
  sizeWith,
  type OutboxLimits,
  type OutboxSize,
} from '../federation/outbox-limits.js';
import type { OutboxHead, OutboxStore, SealedTransaction } from '../federation/outbox-store.js';
import type { ServerName } from '../ids/server-name.js';
import type { JsonText } from '../wire/json.js';
import type { Database } from './database.js';

export class SqliteOutbox implements OutboxStore {
  readonly #db: Database;
  readonly #limits: OutboxLimits;
  /** Of queues that were put to: to count anew each time would take longer the more there is. */
  readonly #sizes = new Map<ServerName, OutboxSize>();

  constructor(db: Database, limits = OUTBOX_LIMITS) {
    this.#db = db;
    this.#limits = limits;
  }

  async append(destination: ServerName, edus: readonly JsonText[]): Promise<void> {
    this.atomic(() => this.put(new Map([[destination, edus]])));
  }

  /** Runs `work`, which may put EDUs, in one transaction. */
  atomic<T>(work: () => T): T {
    try {
      return this.#db.atomic(work);
    } catch (error) {
      if (!(error instanceof OutboxFullError)) this.#sizes.clear(); // what was counted may not be there
      throw error;
    }
  }

  /**
   * Puts EDUs at the end of several queues, as a part of a transaction of `atomic`.
   * @throws OutboxFullError before it does anything
   */
  put(outgoing: ReadonlyMap<ServerName, readonly JsonText[]>): void {
    const sizes = [...outgoing].map(([destination, edus]) => {
      return [destination, sizeWith(this.#sizeOf(destination), edus, destination, this.#limits)] as const;
    });
    const sql = 'INSERT INTO outbox (destination, edu) VALUES (?, ?)';
    for (const [destination, edus] of outgoing) for (const edu of edus) this.#db.run(sql, destination, edu);
    for (const [destination, size] of sizes) this.#sizes.set(destination, size);
  }

  async destinations(): Promise<readonly ServerName[]> {
    return this.#db
      .all('SELECT DISTINCT destination FROM outbox')
      .map((row) => row['destination'] as ServerName);
  }

  async head(destination: ServerName, maxEdus: number): Promise<OutboxHead> {
    const rows = this.#db.all(
      'SELECT edu FROM outbox WHERE destination = ? ORDER BY position LIMIT ?',
      destination,
      maxEdus,
    );
    return { edus: rows.map((row) => row['edu'] as JsonText), sealed: this.#sealed(destination) };
  }

  async seal(
    destination: ServerName,
    { txnId, originServerTsMs, eduCount }: SealedTransaction,
  ): Promise<void> {
    this.#db.run(
      `INSERT INTO sealed_transactions (destination, txn_id, origin_server_ts, edu_count) VALUES (?, ?, ?, ?)
       ON CONFLICT (destination) DO UPDATE SET
         txn_id = excluded.txn_id, origin_server_ts = excluded.origin_server_ts, edu_count = excluded.edu_count`,
      destination,
      txnId,
      originServerTsMs,
      eduCount,
    );
  }

  async remove(destination: ServerName, txnId: string): Promise<void> {
    this.atomic(() => {
      const sealed = this.#sealed(destination);
      if (sealed?.txnId !== txnId) return;
      const before = this.#sizes.get(destination);
      const taken = before === undefined ? NOTHING_WAITS : this.#measure(destination, sealed.eduCount);
      this.#db.run(
        `DELETE FROM outbox WHERE position IN
           (SELECT position FROM outbox WHERE destination = ? ORDER BY position LIMIT ?)`,
        destination,
        sealed.eduCount,
      );
      this.#db.run('DELETE FROM sealed_transactions WHERE destination = ?', destination);
      if (before === undefined) return;
      const eduCount = before.eduCount - taken.eduCount;
      if (eduCount === 0) this.#sizes.delete(destination);
      else this.#sizes.set(destination, { eduCount, bytes: before.bytes - taken.bytes });
    });
  }

  #sizeOf(destination: ServerName): OutboxSize {
    return this.#sizes.get(destination) ?? this.#measure(destination, ALL);
  }

  /** How much the first EDUs of a queue are. */
  #measure(destination: ServerName, maxEdus: number): OutboxSize {
    const row = this.#db.get(
      `SELECT count(*) AS edu_count, coalesce(sum(octet_length(edu)), 0) AS bytes
       FROM (SELECT edu FROM outbox WHERE destination = ? ORDER BY position LIMIT ?)`,
      destination,
      maxEdus,
    );
    return { eduCount: Number(row?.['edu_count']), bytes: Number(row?.['bytes']) };
  }

  #sealed(destination: ServerName): SealedTransaction | undefined {
    const sql = 'SELECT txn_id, origin_server_ts, edu_count FROM sealed_transactions WHERE destination = ?';
    const row = this.#db.get(sql, destination);
    return (
      row && {
        txnId: String(row['txn_id']),
        originServerTsMs: Number(row['origin_server_ts']),
        eduCount: Number(row['edu_count']),
      }
    );
  }
}

/** SQLite, "SELECT", section "The LIMIT clause": a negative limit is none. */
const ALL = -1;
