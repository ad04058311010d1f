import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The agents that the asking agent acts for: they see the request. Requests of earlier releases have none. */
export class ActingFor1797300000300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE approval ADD acting_for text[] NOT NULL DEFAULT '{}'`);
    await runner.query(
      `CREATE INDEX approval_acting_for ON approval USING gin (acting_for) WHERE acting_for <> '{}'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE approval DROP acting_for');
  }
}
