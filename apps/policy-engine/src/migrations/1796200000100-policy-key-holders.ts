import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who may have written the version that stands: the members who hold the key that it was written with. */
export class PolicyKeyHolders1796200000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Empty where nobody knows; the person of an operator's key, and `written_by`, come on top.
    await runner.query(`ALTER TABLE policy ADD key_holders text[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE policy DROP key_holders');
  }
}
