CREATE TABLE notes (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  text TEXT NOT NULL,
  created_at TEXT NOT NULL,
  idempotency_key TEXT,
  UNIQUE (owner, idempotency_key)
);
CREATE INDEX notes_by_owner ON notes (owner, created_at);
CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  task TEXT NOT NULL,
  input TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  result TEXT,
  created_at TEXT NOT NULL,
  idempotency_key TEXT,
  UNIQUE (owner, idempotency_key)
);
