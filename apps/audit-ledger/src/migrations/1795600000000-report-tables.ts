import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The reports of actions without their erasable values; the last report of an action counts. */
export class ReportTables1795600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE report (
         entry_id text PRIMARY KEY,
         org_id text NOT NULL,
         action_id text NOT NULL,
         status text NOT NULL CHECK (status IN ('success', 'failure', 'partial')))`,
    );
    await runner.query('CREATE INDEX report_action ON report (action_id)');
    await runner.query('GRANT SELECT, INSERT ON report TO al_audit_ledger');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE report');
  }
}
