import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which agents act for which: an agent also finds the entries of those that act for it. Follows from the entries. */
export class DelegatedAgents1797300000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE delegated_agent (
        org_id text NOT NULL,
        ancestor_id text NOT NULL,
        agent_id text NOT NULL,
        PRIMARY KEY (org_id, ancestor_id, agent_id))`);
    await runner.query('GRANT SELECT, INSERT ON delegated_agent TO al_audit_ledger');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE delegated_agent');
  }
}
