import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds what the logs say of each policy; the engine asks for all of it every minute. */
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
