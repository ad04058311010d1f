import type { MigrationInterface, QueryRunner } from 'typeorm';
import { plainFormOf } from '../domain/agent-name.js';

/**
 * More characters count as invisible. Names with them get their new plain form, so that no other agent takes a name that reads
 * the same. Where another name holds that form already, it keeps it.
 */
export class SeenAgentNames1796400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const rows = (await runner.query(
      `SELECT n.org_id, n.name, n.plain FROM agent_name n JOIN agent a ON a.id = n.agent_id
        WHERE n.plain IS NOT NULL ORDER BY a.created_at, a.id`,
    )) as { org_id: string; name: string; plain: string }[];
    for (const { org_id, name, plain } of rows) {
      const now = plainFormOf(name);
      if (now === plain) continue;
      await runner.query(
        `UPDATE agent_name SET plain = CASE WHEN EXISTS (SELECT FROM agent_name WHERE org_id = $1 AND plain = $3)
                                            THEN NULL ELSE $3 END
          WHERE org_id = $1 AND name = $2`,
        [org_id, name, now],
      );
    }
  }

  /** The new forms are valid for the earlier lists as well. */
  down(): Promise<void> {
    return Promise.resolve();
  }
}
