import type { Database } from "bun:sqlite";

/** Marks a file as ours; SQLite keeps it in the header. The letters "p2pa". */
export const APPLICATION_ID = 0x70_32_70_61;

/**
 * Step N brings schema N to N+1. A step that was ever released is never edited: what it should have been comes as a new one.
 *
 * The `whole` indexes hold every column of their table, so that the integrity check, which compares tables with indexes,
 * notices a flipped bit in any of them.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE accounts (
    user_id BLOB NOT NULL PRIMARY KEY CHECK (length(user_id) = 16),
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    invisible INTEGER NOT NULL DEFAULT 0 CHECK (invisible IN (0, 1)),
    blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
    invite_id BLOB NOT NULL,
    invite_slot INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX accounts_name ON accounts (name);
  CREATE UNIQUE INDEX accounts_invite ON accounts (invite_id, invite_slot);
  CREATE INDEX accounts_whole ON accounts
    (user_id, name, password_hash, created_at_ms, invisible, blocked, invite_id, invite_slot);

  CREATE TABLE devices (
    device_id BLOB NOT NULL PRIMARY KEY CHECK (length(device_id) = 16),
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    slot INTEGER NOT NULL,
    key BLOB NOT NULL CHECK (length(key) = 32),
    sign_key BLOB NOT NULL CHECK (length(sign_key) = 32),
    label TEXT NOT NULL,
    device_list BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL,
    last_seen_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX devices_key ON devices (key) WHERE revoked_at_ms IS NULL;
  CREATE UNIQUE INDEX devices_slot ON devices (user_id, slot) WHERE revoked_at_ms IS NULL;
  CREATE INDEX devices_revoked ON devices (revoked_at_ms) WHERE revoked_at_ms IS NOT NULL;
  CREATE INDEX devices_whole ON devices
    (device_id, user_id, slot, key, sign_key, label, device_list, created_at_ms, last_seen_at_ms, revoked_at_ms);

  CREATE TABLE invitations (
    invite_id BLOB NOT NULL PRIMARY KEY CHECK (length(invite_id) = 32),
    uses INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    created_by BLOB
  ) STRICT;
  CREATE INDEX invitations_whole ON invitations (expires_at_ms, invite_id, uses, created_at_ms, created_by);

  CREATE TABLE blocks (
    user_id BLOB NOT NULL,
    blocked_user_id BLOB NOT NULL,
    PRIMARY KEY (user_id, blocked_user_id)
  ) STRICT;

  CREATE TABLE resets (
    token_hash BLOB NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id BLOB NOT NULL,
    expires_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX resets_whole ON resets (user_id, token_hash, expires_at_ms);

  CREATE TABLE redeemed_resets (
    token_hash BLOB NOT NULL PRIMARY KEY,
    expires_at_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
  ) STRICT;
  INSERT INTO meta (key, value) VALUES ('generation', 0);
  `,
];

export function schemaVersion(db: Database): number {
  return readHeader(db, "user_version");
}

export function applicationId(db: Database): number {
  return readHeader(db, "application_id");
}

/** Each step is whole or not at all; two processes that start together do it once. */
export function migrate(db: Database, steps: readonly string[]): void {
  const toLatest = db.transaction(() => {
    for (const step of steps.slice(schemaVersion(db))) db.run(step);
    db.run(`PRAGMA user_version = ${steps.length}`);
  });
  if (schemaVersion(db) < steps.length) toLatest.immediate();
}

function readHeader(db: Database, field: "user_version" | "application_id"): number {
  return db.prepare<Record<string, number>, []>(`PRAGMA ${field}`).get()?.[field] ?? 0;
}
