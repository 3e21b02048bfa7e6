/** The outbox in a SQLite file: what is for other servers outlives the process. */
import type { OutboxHead, OutboxStore, SealedTransaction } from '../federation/outbox-store.js';
import type { ServerName } from '../ids/server-name.js';
import type { JsonText } from '../wire/json.js';
import type { Database } from './database.js';

export class SqliteOutbox implements OutboxStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async append(destination: ServerName, edus: readonly JsonText[]): Promise<void> {
    this.#db.atomic(() => this.put(destination, edus));
  }

  /** The same as a part of a transaction of the caller's. */
  put(destination: ServerName, edus: readonly JsonText[]): void {
    const sql = 'INSERT INTO outbox (destination, edu) VALUES (?, ?)';
    for (const edu of edus) this.#db.run(sql, destination, edu);
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
    this.#db.atomic(() => {
      const sealed = this.#sealed(destination);
      if (sealed?.txnId !== txnId) return;
      this.#db.run(
        `DELETE FROM outbox WHERE position IN
           (SELECT position FROM outbox WHERE destination = ? ORDER BY position LIMIT ?)`,
        destination,
        sealed.eduCount,
      );
      this.#db.run('DELETE FROM sealed_transactions WHERE destination = ?', destination);
    });
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
