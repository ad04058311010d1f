import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The members who were shown a key, or a key that it was made with; for earlier keys the member responsible for them. */
export class KeyHolders1796200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE api_key ADD shown_to text[] NOT NULL DEFAULT '{}'`);
    await runner.query('UPDATE api_key SET shown_to = ARRAY[made_by] WHERE made_by IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE api_key DROP shown_to');
  }
}
