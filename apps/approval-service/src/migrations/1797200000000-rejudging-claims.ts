import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which run judges a request again, and until when no other run may take it: the engine is asked outside of transactions. */
export class RejudgingClaims1797200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rejudging ADD claim_id text, ADD claimed_until timestamptz(3)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rejudging DROP claim_id, DROP claimed_until');
  }
}
