import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_notifier';

/** The outgoing events in the form in which they are sent; deliveries are made from these rows. */
export class OutgoingEvents1764000000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // `data` is text, because jsonb refuses characters that events may contain.
    await runner.query(
      `CREATE TABLE outgoing_event (
         position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         org_id text NOT NULL,
         event_id text NOT NULL UNIQUE,
         source text NOT NULL,
         type text NOT NULL,
         subject text NOT NULL,
         occurred_at timestamptz(3) NOT NULL,
         data text NOT NULL,
         correlation_id text,
         traceparent text)`,
    );
    await runner.query('CREATE INDEX outgoing_event_of_workspace ON outgoing_event (org_id, position)');
    await runner.query(`GRANT SELECT, INSERT ON outgoing_event TO ${role}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE outgoing_event');
  }
}
