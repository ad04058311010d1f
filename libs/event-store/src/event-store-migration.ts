import type { ServiceName } from '@agentlattice/contracts';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { numberLeftOnce } from './number-events.js';

/** The channel on which a replica without the relay's lock announces committed events. */
export const eventChannel = (schema: string) => `al_events_${schema}`;

/** Runs the statements of a migration in order; TypeORM runs it in one transaction. */
export async function runStatements(runner: QueryRunner, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await runner.query(statement);
}

/**
 * The tables of an event-sourced service, in its own schema. Events and their numbering can be inserted and read, never
 * changed, by the service's role.
 * @param timestamp 13 digits that order the migration among the service's own
 * @param hasInbox for a service that projected events of others before it owned any: its inbox exists already
 */
export function eventStoreMigration(
  service: ServiceName,
  timestamp: number,
  { hasInbox = false }: { readonly hasInbox?: boolean } = {},
): new () => MigrationInterface {
  const schema = service.replaceAll('-', '_');
  const role = `al_${schema}`;
  return class EventStoreMigration implements MigrationInterface {
    readonly name = `EventStore${String(timestamp)}`;

    async up(runner: QueryRunner): Promise<void> {
      await runStatements(runner, up(role, eventChannel(schema)));
      if (!hasInbox) await runStatements(runner, inbox(role));
    }

    down(): Promise<void> {
      return Promise.reject(new Error('the migration of the events cannot be undone'));
    }
  };
}

/**
 * From this migration on, events are numbered in their commit. It removes what prevents that: the trigger that notified the
 * relay (NOTIFY makes the commits of the whole database wait for one another), the index by transaction, and the foreign key,
 * whose check locks each event again. Events that earlier releases left without a number get one here; later migrations
 * number none.
 */
export function numberingInCommitMigration(timestamp: number): new () => MigrationInterface {
  return class NumberingInCommitMigration implements MigrationInterface {
    readonly name = `NumberingInCommit${String(timestamp)}`;

    async up(runner: QueryRunner): Promise<void> {
      await runStatements(runner, [
        'DROP TRIGGER event_appended ON event',
        'DROP FUNCTION event_appended()',
        'DROP INDEX event_xid',
        'ALTER TABLE event_position DROP CONSTRAINT event_position_event_id_fkey',
        // The statements before this one lock both tables: no other transaction numbers or appends at the same time.
        numberLeftOnce,
      ]);
    }

    down(): Promise<void> {
      return Promise.reject(new Error('the migration of the numbering cannot be undone'));
    }
  };
}

/** For a service that has no events of its own and projects events of others. */
export function inboxMigration(service: ServiceName, timestamp: number): new () => MigrationInterface {
  const role = `al_${service.replaceAll('-', '_')}`;
  return class InboxMigration implements MigrationInterface {
    readonly name = `Inbox${String(timestamp)}`;

    async up(runner: QueryRunner): Promise<void> {
      await runStatements(runner, inbox(role));
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query('DROP TABLE inbox, consumer_position');
    }
  };
}

const up = (role: string, channel: string) => [
  `CREATE TABLE event (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     org_id text NOT NULL,
     stream_id text NOT NULL,
     version integer NOT NULL CHECK (version > 0),
     event_id text NOT NULL UNIQUE,
     type text NOT NULL,
     schema_version integer NOT NULL,
     data jsonb NOT NULL,
     meta jsonb NOT NULL,
     occurred_at timestamptz(3) NOT NULL,
     -- Lets the relay look only at transactions that were still open when it looked last.
     xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
     CONSTRAINT event_stream_version UNIQUE (org_id, stream_id, version))`,
  'CREATE INDEX event_xid ON event (xid)',
  `CREATE TABLE event_position (
     event_id text PRIMARY KEY REFERENCES event (event_id),
     org_id text NOT NULL,
     gpos bigint NOT NULL UNIQUE,
     source_seq bigint NOT NULL,
     CONSTRAINT event_position_source_seq UNIQUE (org_id, source_seq))`,
  `CREATE TABLE relay_checkpoint (
     only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
     stream_incarnation text,
     published_gpos bigint NOT NULL DEFAULT 0)`,
  'INSERT INTO relay_checkpoint DEFAULT VALUES',
  `CREATE FUNCTION event_appended() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN PERFORM pg_notify('${channel}', ''); RETURN NULL; END $$`,
  `CREATE TRIGGER event_appended AFTER INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION event_appended()`,
  `GRANT SELECT, INSERT ON event, event_position TO ${role}`,
  `GRANT SELECT, UPDATE ON relay_checkpoint TO ${role}`,
];

const inbox = (role: string) => [
  `CREATE TABLE inbox (
     consumer text NOT NULL,
     event_id text NOT NULL,
     PRIMARY KEY (consumer, event_id))`,
  `CREATE TABLE consumer_position (
     consumer text NOT NULL,
     source text NOT NULL,
     checked_gpos bigint NOT NULL DEFAULT 0,
     PRIMARY KEY (consumer, source))`,
  `GRANT SELECT, INSERT ON inbox TO ${role}`,
  `GRANT SELECT, INSERT, UPDATE ON consumer_position TO ${role}`,
];
