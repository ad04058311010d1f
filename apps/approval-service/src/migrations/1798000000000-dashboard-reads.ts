import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an agent asked before for an action type is read with every request; votes say how long the request was on the screen. */
export class DashboardReads1798000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE INDEX approval_by_action ON approval (org_id, agent_id, action_type, created_at DESC, approval_id DESC)',
    );
    await runner.query('ALTER TABLE approval ADD seen_ms integer[]');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX approval_by_action');
    await runner.query('ALTER TABLE approval DROP seen_ms');
  }
}
