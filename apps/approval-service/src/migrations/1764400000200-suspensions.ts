import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Agents that were suspended with their requests, from the gateway's events. */
export class Suspensions1764400000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE agent_suspension (
      org_id text NOT NULL,
      agent_id text NOT NULL,
      -- Of the newest one that cancels.
      event_id text NOT NULL,
      suspended_at timestamptz(3) NOT NULL,
      lasts boolean NOT NULL,
      -- When such a suspension ended last: what was asked before is cancelled, whenever it is opened.
      ended_at timestamptz(3),
      correlation_id text,
      traceparent text,
      PRIMARY KEY (org_id, agent_id))`);
    await runner.query('GRANT SELECT, INSERT, UPDATE ON agent_suspension TO al_approval_service');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE agent_suspension');
  }
}
