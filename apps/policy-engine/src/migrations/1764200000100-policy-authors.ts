import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who stands behind a version that a service key wrote, and who could fill the seats that a policy names. */
export class PolicyAuthors1764200000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Of the version that stands; null where the event names a person itself, or nobody knows.
    await runner.query('ALTER TABLE policy ADD written_by text');
    await runner.query(`ALTER TABLE member_role ADD groups text[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE policy DROP written_by');
    await runner.query('ALTER TABLE member_role DROP groups');
  }
}
