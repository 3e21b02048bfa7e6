/** The tables of the store's file. A change that is not readable by older versions counts `version` up. */
export const SCHEMA = {
  version: 1,
  sql: `
    CREATE TABLE facts (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE accounts (
      user_id TEXT PRIMARY KEY,
      password_hash TEXT
    ) WITHOUT ROWID;

    CREATE TABLE devices (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
      device_id NOT NULL,
      display_name,
      identity_keys TEXT,
      has_keys INTEGER NOT NULL DEFAULT 0,
      UNIQUE (user_id, device_id)
    );

    CREATE TABLE sessions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
      access_hash TEXT NOT NULL UNIQUE,
      refresh_hash TEXT UNIQUE,
      expires_ts INTEGER,
      used INTEGER NOT NULL DEFAULT 0,
      replaces INTEGER REFERENCES sessions ON DELETE SET NULL
    );
    CREATE INDEX sessions_by_device ON sessions (device);
    CREATE INDEX sessions_by_replaced ON sessions (replaces);

    CREATE TABLE queue (
      position INTEGER PRIMARY KEY AUTOINCREMENT,
      device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
      sender NOT NULL,
      type NOT NULL,
      content TEXT NOT NULL
    );
    CREATE INDEX queue_by_device ON queue (device, position);

    CREATE TABLE transactions (
      device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
      number INTEGER NOT NULL,
      path NOT NULL,
      PRIMARY KEY (device, number),
      UNIQUE (device, path)
    ) WITHOUT ROWID;

    CREATE TABLE keys (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
      use TEXT NOT NULL CHECK (use IN ('one_time', 'fallback')),
      algorithm TEXT NOT NULL,
      key_id NOT NULL,
      key TEXT NOT NULL,
      UNIQUE (device, use, key_id)
    );

    CREATE TABLE filters (
      user_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
      number INTEGER NOT NULL,
      filter TEXT NOT NULL,
      PRIMARY KEY (user_id, number)
    ) WITHOUT ROWID;

    CREATE TABLE outbox (
      position INTEGER PRIMARY KEY AUTOINCREMENT,
      destination TEXT NOT NULL,
      edu TEXT NOT NULL
    );
    CREATE INDEX outbox_by_destination ON outbox (destination, position);

    CREATE TABLE sealed_transactions (
      destination TEXT PRIMARY KEY,
      txn_id TEXT NOT NULL,
      origin_server_ts INTEGER NOT NULL,
      edu_count INTEGER NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE received_edus (
      origin TEXT NOT NULL,
      message_id NOT NULL,
      received_ts INTEGER NOT NULL,
      PRIMARY KEY (origin, message_id)
    ) WITHOUT ROWID;
    CREATE INDEX received_edus_by_time ON received_edus (received_ts);

    CREATE TABLE received_transactions (
      origin TEXT NOT NULL,
      txn_id NOT NULL,
      answer TEXT NOT NULL,
      received_ts INTEGER NOT NULL,
      PRIMARY KEY (origin, txn_id)
    ) WITHOUT ROWID;
    CREATE INDEX received_transactions_by_time ON received_transactions (received_ts);
  `,
} as const;
