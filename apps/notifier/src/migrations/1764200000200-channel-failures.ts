import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_notifier';

/** Consecutive failures of channels; one lane of mail per workspace; kept mails without their links. */
export class ChannelFailures1764200000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of down) await runner.query(statement);
  }
}

const up = [
  // A separate table for the order of locks: an attempt locks its delivery first, a change of a channel locks the channel first.
  `CREATE TABLE channel_failures (
     org_id text NOT NULL,
     channel_id text NOT NULL,
     -- In a row, and when the first of them was.
     failures integer NOT NULL,
     since timestamptz(3) NOT NULL,
     PRIMARY KEY (org_id, channel_id))`,
  `GRANT SELECT, INSERT, UPDATE ON channel_failures TO ${role}`,
  `UPDATE delivery SET lane = 'email:' || org_id WHERE lane = 'email'`,
  `CREATE INDEX delivery_due_of_lane ON delivery (lane, due_at, position) WHERE status = 'pending'`,
  'DROP INDEX delivery_due',
  String.raw`UPDATE delivery SET mail = regexp_replace(mail, 'https?://[^\s"<>\\]+', '[link]', 'g') WHERE mail IS NOT NULL`,
  // The position in the outcomes is kept.
  `REVOKE DELETE ON consumer_position FROM ${role}`,
];
const down = [
  `GRANT DELETE ON consumer_position TO ${role}`,
  `CREATE INDEX delivery_due ON delivery (due_at) WHERE status = 'pending'`,
  'DROP INDEX delivery_due_of_lane',
  'DROP TABLE channel_failures',
];
