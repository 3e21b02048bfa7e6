/** What came from other servers, in a SQLite file: IDs and answers only, and for 7 days. */
import type { JsonText } from '../wire/json.js';
import type { Database } from './database.js';
import { RECEIVED_KEPT_MS, type EduId, type TransactionId } from './store.js';

export class SqliteReceived {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** True for the first time; a part of a transaction of the caller's. */
  isNewEdu({ origin, messageId, nowTs }: EduId): boolean {
    this.#db.run('DELETE FROM received_edus WHERE received_ts <= ?', nowTs - RECEIVED_KEPT_MS);
    const sql =
      'INSERT INTO received_edus (origin, message_id, received_ts) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
    return this.#db.run(sql, origin, messageId, nowTs) === 1;
  }

  answer({ origin, txnId, nowTs }: TransactionId): JsonText | undefined {
    const sql =
      'SELECT answer FROM received_transactions WHERE origin = ? AND txn_id = ? AND received_ts > ?';
    return this.#db.get(sql, origin, txnId, nowTs - RECEIVED_KEPT_MS)?.['answer'] as JsonText | undefined;
  }

  keepAnswer({ origin, txnId, nowTs }: TransactionId, answer: JsonText): void {
    this.#db.atomic(() => {
      this.#db.run('DELETE FROM received_transactions WHERE received_ts <= ?', nowTs - RECEIVED_KEPT_MS);
      this.#db.run(
        `INSERT INTO received_transactions (origin, txn_id, answer, received_ts) VALUES (?, ?, ?, ?)
         ON CONFLICT (origin, txn_id) DO UPDATE SET answer = excluded.answer, received_ts = excluded.received_ts`,
        origin,
        txnId,
        answer,
        nowTs,
      );
    });
  }
}
