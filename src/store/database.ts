/**
 * The door to SQLite: a file, statements that are prepared once, and transactions.
 *
 * The driver is SQLite compiled to WebAssembly, which installs without a compiler on every Node we support. Its
 * calls are synchronous: what one of our methods does between `begin` and `commit`, no other can see half of.
 *
 * The file is opened for this process alone (`locking_mode=exclusive`): that spares a lock per statement and
 * lets the write-ahead log work without shared memory. A commit survives the death of the process at any moment;
 * it is flushed to the disk at checkpoints only.
 */
import { rmSync } from 'node:fs';
import type { Database as Driver, Statement } from 'node-sqlite3-wasm';
import { DiskError, UnreadableFileError } from '../errors.js';
import { toldDatabaseError } from './database-error.js';

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** What a file is made with; one of another version is not opened. */
export interface Schema {
  readonly version: number;
  readonly sql: string;
}

/** Whatever is asked of it throws `DiskError` when the disk fails, `UnreadableFileError` when the file is damaged. */
export class Database {
  readonly #file: string;
  readonly #driver: Driver;
  readonly #statements = new Map<string, Statement>();

  private constructor(file: string, driver: Driver) {
    this.#file = file;
    this.#driver = driver;
  }

  /**
   * Opens or makes the file. The caller holds a lock on it, so that a lock left by a process that died is known
   * to be stale.
   *
   * @throws UnreadableFileError when it cannot be opened or is no database of ours; DiskError
   */
  static async open(file: string, schema: Schema): Promise<Database> {
    const { Database: Sqlite } = (await import('node-sqlite3-wasm')).default;
    let driver: Driver | undefined;
    try {
      rmSync(`${file}.lock`, { recursive: true, force: true });
      driver = new Sqlite(file);
      driver.get('PRAGMA locking_mode = EXCLUSIVE');
      driver.get('PRAGMA journal_mode = WAL');
      driver.exec('PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON');
      const database = new Database(file, driver);
      database.#migrate(schema);
      database.shedTraces(); // a process that died may have left some
      return database;
    } catch (error) {
      driver?.close();
      throw cannotOpen(file, error);
    }
  }

  /** Runs `work` in one transaction; undone when it throws. */
  atomic<T>(work: () => T): T {
    this.#driven(() => this.#driver.exec('BEGIN IMMEDIATE'));
    try {
      const result = work();
      this.#driven(() => this.#driver.exec('COMMIT'));
      return result;
    } catch (error) {
      // where the disk failed SQLite may have done so
      if (this.#driver.inTransaction) this.#driven(() => this.#driver.exec('ROLLBACK'));
      throw error;
    }
  }

  /** Runs one statement and tells how many rows it changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return this.#using(sql, (statement) => statement.run(values.map(toDriver)).changes);
  }

  /** The first row, or undefined. */
  get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.all(sql, ...values)[0];
  }

  all(sql: string, ...values: SqlValue[]): readonly SqlRow[] {
    return this.#using(sql, (statement) =>
      statement
        .all(values.map(toDriver))
        .map((row) =>
          Object.fromEntries(Object.entries(row).map(([column, value]) => [column, fromDriver(value)])),
        ),
    );
  }

  /**
   * Makes what was deleted unreadable also in the write-ahead log, which keeps old pages until it is begun anew; in
   * the database itself it is overwritten at once.
   */
  shedTraces(): void {
    this.#driven(() => this.#driver.all('PRAGMA wal_checkpoint(TRUNCATE)'));
  }

  /** May be called twice. */
  close(): void {
    if (!this.#driver.isOpen) return;
    for (const statement of this.#statements.values()) statement.finalize();
    this.#statements.clear();
    this.#driven(() => this.#driver.close());
  }

  #using<T>(sql: string, use: (statement: Statement) => T): T {
    return this.#driven(() => {
      const statement = this.#statements.get(sql) ?? this.#driver.prepare(sql);
      this.#statements.set(sql, statement);
      try {
        return use(statement);
      } catch (error) {
        this.#statements.delete(sql);
        finalizeFailed(statement);
        throw error;
      }
    });
  }

  #driven<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw toldDatabaseError(this.#file, error);
    }
  }

  #migrate({ version, sql }: Schema): void {
    const file = this.#file;
    const found = Number(this.#driver.get('PRAGMA user_version')?.['user_version'] ?? 0);
    if (found === version) return;
    if (found !== 0) {
      throw new UnreadableFileError(
        file,
        `the database ${file} has format ${found}, this program knows ${version}`,
        {
          hint: 'use the version of mx2s that made it, or begin with a new file',
        },
      );
    }
    if (this.#driver.get('SELECT name FROM sqlite_schema LIMIT 1') !== null) {
      throw new UnreadableFileError(file, `${file} is a database of another program`, {
        hint: 'name a file that mx2s made, or one that does not exist yet',
      });
    }
    this.atomic(() => {
      this.#driver.exec(sql);
      this.#driver.exec(`PRAGMA user_version = ${version}`);
    });
  }
}

/** A statement that failed says so once more at its end, and would also at its next use. */
function finalizeFailed(statement: Statement): void {
  try {
    statement.finalize();
  } catch {
    // it was told when it happened
  }
}

function cannotOpen(file: string, error: unknown): unknown {
  const told = toldDatabaseError(file, error);
  if (told instanceof DiskError || error instanceof UnreadableFileError) return told;
  return new UnreadableFileError(file, `cannot open the database ${file}: ${(error as Error).message}`, {
    hint: 'name a file that mx2s made, or one that does not exist yet in a directory that does',
    cause: error,
  });
}

/** The driver ends a text at its first NUL, which event types and device IDs may hold: such a one is stored as bytes. */
function toDriver(value: SqlValue): string | number | null | Uint8Array {
  return typeof value === 'string' && value.includes('\0') ? Buffer.from(value, 'utf8') : value;
}

function fromDriver(value: unknown): SqlValue {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return typeof value === 'bigint' ? Number(value) : (value as SqlValue);
}
