import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The time and the reason of an agent's suspension, and the time of its resumption. */
export class Suspensions1764400000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Erasable: the reason that a person gave with an event.
      CREATE TABLE event_value (
        org_id text NOT NULL,
        event_id text NOT NULL,
        name text NOT NULL,
        value text NOT NULL,
        PRIMARY KEY (event_id, name)
      );
      ALTER TABLE agent
        ADD suspended_at timestamptz(3),
        ADD suspended_event_id text,
        ADD resumed_at timestamptz(3);
      UPDATE agent a SET suspended_at = e.occurred_at, suspended_event_id = e.event_id
        FROM (SELECT DISTINCT ON (org_id, stream_id) org_id, stream_id, event_id, occurred_at FROM event
               WHERE type = 'agent.suspended' ORDER BY org_id, stream_id, version DESC) e
       WHERE a.suspended AND e.org_id = a.org_id AND e.stream_id = a.id;
      UPDATE agent a SET resumed_at = e.occurred_at
        FROM (SELECT org_id, stream_id, max(occurred_at) AS occurred_at FROM event
               WHERE type = 'agent.resumed' GROUP BY org_id, stream_id) e
       WHERE e.org_id = a.org_id AND e.stream_id = a.id;
      GRANT SELECT, INSERT ON event_value TO al_gateway;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE event_value; ALTER TABLE agent DROP suspended_at, DROP suspended_event_id, DROP resumed_at',
    );
  }
}
