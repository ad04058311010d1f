import type { MigrationInterface, QueryRunner } from 'typeorm';
import { plainFormOf } from '../domain/agent-name.js';

/**
 * Names of agents are taken in their plain form, so that no two read the same. Where names read the same already, the oldest
 * agent holds the form; the others keep their names.
 */
export class PlainAgentNames1796200000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Null when another name has the form, or when a gateway without plain forms took the name.
    await runner.query('ALTER TABLE agent_name ADD plain text');
    const rows = (await runner.query(
      `SELECT n.org_id, n.name FROM agent_name n JOIN agent a ON a.id = n.agent_id
        ORDER BY n.org_id, a.created_at, a.id`,
    )) as { org_id: string; name: string }[];
    const taken = new Map<string, { org_id: string; name: string; plain: string }>();
    for (const { org_id, name } of rows) {
      const plain = plainFormOf(name);
      const key = JSON.stringify([org_id, plain]);
      if (!taken.has(key)) taken.set(key, { org_id, name, plain });
    }
    await runner.query(
      `UPDATE agent_name n SET plain = t.plain
         FROM jsonb_to_recordset($1::jsonb) AS t (org_id text, name text, plain text)
        WHERE n.org_id = t.org_id AND n.name = t.name`,
      [JSON.stringify([...taken.values()])],
    );
    await runner.query('CREATE UNIQUE INDEX agent_name_plain ON agent_name (org_id, plain)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE agent_name DROP plain');
  }
}
