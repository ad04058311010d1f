import { runStatements } from '@agentlattice/event-store';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_audit_ledger';

/** Logs, entries, erasable values, submissions and checkpoints. The service may insert and read; entries never change. */
export class LedgerTables1795590000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runStatements(runner, statements);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('the migration of the logs cannot be undone'));
  }
}

const statements = [
  // One row per shard of logs. Every commit moves it by compare-and-swap; a new writer raises the epoch, which fences
  // the old one. `time_ms` keeps the entries' times from going back.
  `CREATE TABLE writer (
     shard integer PRIMARY KEY,
     epoch bigint NOT NULL DEFAULT 0,
     gpos bigint NOT NULL DEFAULT 0,
     time_ms bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50)`,
  'INSERT INTO writer (shard) VALUES (0)',
  // The head of each log. `grown` is what the last commit added, so that one upsert can compare and swap.
  `CREATE TABLE log (
     org_id text PRIMARY KEY,
     origin text NOT NULL UNIQUE,
     size bigint NOT NULL,
     grown integer NOT NULL CHECK (grown > 0 AND grown <= size),
     last_hash text NOT NULL CHECK (last_hash ~ '^[0-9a-f]{64}$'),
     frontier bytea NOT NULL,
     positions text NOT NULL) WITH (fillfactor = 50)`,
  // `bytes` is the log; the other columns are there to find entries by.
  `CREATE TABLE entry (
     org_id text NOT NULL,
     seq bigint NOT NULL CHECK (seq >= 0),
     id text NOT NULL UNIQUE,
     gpos bigint UNIQUE,
     bytes bytea NOT NULL,
     leaf_hash bytea NOT NULL,
     type text NOT NULL,
     time timestamptz(3) NOT NULL,
     source text NOT NULL,
     action_type text,
     agent_id text,
     decision text,
     operator_id text,
     policy_id text,
     approval_id text,
     PRIMARY KEY (org_id, seq))`,
  'CREATE INDEX entry_agent ON entry (org_id, agent_id, seq) WHERE agent_id IS NOT NULL',
  'CREATE INDEX entry_approval ON entry (org_id, approval_id, seq) WHERE approval_id IS NOT NULL',
  // Most entries are executed actions; this index finds all others.
  `CREATE INDEX entry_type ON entry (org_id, type, seq) WHERE type <> 'action.executed'`,
  `CREATE TABLE private_value (
     entry_id text PRIMARY KEY,
     org_id text NOT NULL,
     content text NOT NULL)`,
  // The answer to a submission; unique per agent and X-AL-Event-ID, written with its entry.
  `CREATE TABLE submission (
     entry_id text PRIMARY KEY,
     org_id text NOT NULL,
     seq bigint NOT NULL,
     agent_id text NOT NULL,
     event_key text,
     action_digest text NOT NULL,
     approval_id text,
     record text NOT NULL,
     CONSTRAINT submission_event_key UNIQUE (org_id, agent_id, event_key))`,
  'CREATE INDEX submission_approval ON submission (org_id, approval_id) WHERE approval_id IS NOT NULL',
  `CREATE TABLE checkpoint (
     org_id text NOT NULL,
     size bigint NOT NULL,
     frontier bytea NOT NULL,
     note text NOT NULL,
     signed_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
     PRIMARY KEY (org_id, size))`,
  `CREATE TABLE source_position (source text PRIMARY KEY, gpos bigint NOT NULL)`,
  `CREATE TABLE relay_position (
     only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
     stream_incarnation text,
     gpos bigint NOT NULL DEFAULT 0)`,
  'INSERT INTO relay_position DEFAULT VALUES',
  `CREATE FUNCTION refuse_commit(why text) RETURNS boolean LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION '%', why USING ERRCODE = 'AL001'; END $$`,
  `CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'AL002'; END $$`,
  // ALWAYS: also where a session pretends to be a replica.
  ...['entry', 'checkpoint'].flatMap((table) => [
    `CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
    `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_append_only`,
  ]),
  `GRANT SELECT, INSERT ON entry, private_value, submission, checkpoint TO ${role}`,
  `GRANT SELECT, UPDATE ON writer, relay_position TO ${role}`,
  `GRANT SELECT, INSERT, UPDATE ON log, source_position TO ${role}`,
];
