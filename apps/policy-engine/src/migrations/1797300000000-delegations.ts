import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_policy_engine';

/** The read model of delegations; the events remain the truth. */
export class Delegations1797300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE delegation');
  }
}

const up = [
  `CREATE TABLE delegation (
     delegation_id text PRIMARY KEY,
     org_id text NOT NULL,
     agent_id text NOT NULL,
     agent_name text NOT NULL,
     parent_agent_id text NOT NULL,
     -- The agent at the beginning of the chain, which acts for no other.
     root_agent_id text NOT NULL,
     -- The delegation of the parent.
     parent_id text,
     -- All delegations above it, the first one first.
     above text[] NOT NULL,
     capabilities text[] NOT NULL,
     created_at timestamptz(3) NOT NULL,
     expires_at timestamptz(3) NOT NULL,
     ended_at timestamptz(3),
     revoked_at timestamptz(3),
     -- The value of "revision" when it changed last.
     revision bigint NOT NULL DEFAULT 0)`,
  'CREATE INDEX delegation_of_workspace ON delegation (org_id, delegation_id)',
  'CREATE INDEX delegation_of_parent ON delegation (org_id, parent_agent_id, delegation_id)',
  'CREATE INDEX delegation_of_child ON delegation (org_id, agent_id)',
  'CREATE INDEX delegation_live ON delegation (org_id, root_agent_id) WHERE ended_at IS NULL',
  'CREATE INDEX delegation_due ON delegation (expires_at) WHERE ended_at IS NULL',
  'CREATE INDEX delegation_revision ON delegation (revision)',
  `GRANT SELECT, INSERT, UPDATE ON delegation TO ${role}`,
];
