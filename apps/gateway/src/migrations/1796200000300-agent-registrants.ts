import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The members who may have registered an agent: those who hold the key that did, as recorded with the agent's first key. */
export class AgentRegistrants1796200000300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE agent ADD registrants text[] NOT NULL DEFAULT '{}'`);
    await runner.query(`
      UPDATE agent a
         SET registrants = CASE WHEN k.made_by IS NULL OR k.made_by = ANY (k.shown_to) THEN k.shown_to
                                ELSE k.shown_to || k.made_by END
        FROM (SELECT DISTINCT ON (org_id, agent_id) org_id, agent_id, made_by, shown_to FROM api_key
               WHERE agent_id IS NOT NULL ORDER BY org_id, agent_id, created_at, id) k
       WHERE k.org_id = a.org_id AND k.agent_id = a.id`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE agent DROP registrants');
  }
}
