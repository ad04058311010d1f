import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The member behind a version that a service key wrote, and the groups of members for the seats of a policy. */
export class PolicyAuthors1764200000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Of the current version; null when the event itself names a person, or when unknown.
    await runner.query('ALTER TABLE policy ADD written_by text');
    await runner.query(`ALTER TABLE member_role ADD groups text[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE policy DROP written_by');
    await runner.query('ALTER TABLE member_role DROP groups');
  }
}
