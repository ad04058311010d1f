import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Agents that act for others. Both columns never change: an agent lives by one delegation. */
export class DelegatedAgents1797300000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE agent
        ADD delegation_id text,
        -- The agents that it acts for: the first one first, its parent last.
        ADD ancestors text[] NOT NULL DEFAULT '{}',
        ADD CONSTRAINT agent_acts_by_delegation CHECK ((delegation_id IS NULL) = (ancestors = '{}'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE agent DROP delegation_id, DROP ancestors');
  }
}
