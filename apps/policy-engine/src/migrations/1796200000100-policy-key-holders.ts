import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The members who may have written the current version: the holders of the key that it was written with. */
export class PolicyKeyHolders1796200000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Empty when unknown; the person of an operator's key, and `written_by`, are added to it.
    await runner.query(`ALTER TABLE policy ADD key_holders text[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE policy DROP key_holders');
  }
}
