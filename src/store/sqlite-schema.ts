/** The tables of the store's file. A change that is not readable by older versions counts `version` up. */
export const SCHEMA = {
  version: 1,
  sql: `
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
  `,
} as const;
