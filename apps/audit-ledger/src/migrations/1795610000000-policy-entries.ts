import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds the newest entry of each policy; the engine reads all of them every minute. */
export class PolicyEntries1795610000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX entry_policy ON entry (org_id, policy_id, seq)
        WHERE source = 'policy-engine' AND policy_id IS NOT NULL AND type NOT LIKE 'policy.tampering%'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX entry_policy');
  }
}
