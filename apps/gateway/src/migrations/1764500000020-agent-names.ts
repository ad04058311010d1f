import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Taken names of agents; policies may test them. Where agents share a name already, the oldest holds it. */
export class AgentNames1764500000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE agent_name (
        org_id text NOT NULL REFERENCES workspace,
        name text NOT NULL,
        agent_id text NOT NULL REFERENCES agent,
        PRIMARY KEY (org_id, name)
      );
      INSERT INTO agent_name (org_id, name, agent_id)
        SELECT DISTINCT ON (org_id, name) org_id, name, id FROM agent ORDER BY org_id, name, created_at, id;
      GRANT SELECT, INSERT ON agent_name TO al_gateway;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE agent_name');
  }
}
