import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Members whose role or groups changed, or who were removed, and whose open votes are to be looked at. */
export class MemberChanges1797300000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE member_change (
      org_id text NOT NULL,
      member_id text NOT NULL,
      -- Of the newest change.
      event_id text NOT NULL,
      noted_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
      correlation_id text,
      traceparent text,
      PRIMARY KEY (org_id, member_id))`);
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON member_change TO al_approval_service');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE member_change');
  }
}
