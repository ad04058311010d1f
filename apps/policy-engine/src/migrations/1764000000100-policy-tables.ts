import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_policy_engine';

/** The read model of policies. It follows from the events; the engine compares both when it loads. */
export class PolicyTables1764000000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE policy, workspace_revision, revision');
  }
}

const up = [
  `CREATE TABLE policy (
     policy_id text PRIMARY KEY,
     org_id text NOT NULL,
     name text NOT NULL,
     action_type text NOT NULL,
     active boolean NOT NULL,
     version integer NOT NULL,
     hash text NOT NULL,
     content jsonb NOT NULL,
     created_at timestamptz(3) NOT NULL,
     updated_at timestamptz(3) NOT NULL,
     CONSTRAINT policy_name UNIQUE (org_id, name))`,
  'CREATE INDEX policy_of_workspace ON policy (org_id, policy_id)',
  // Raised by every change in its own transaction: the row lock puts changes in the order of their commits.
  `CREATE TABLE revision (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), value bigint NOT NULL DEFAULT 0)`,
  'INSERT INTO revision DEFAULT VALUES',
  'CREATE TABLE workspace_revision (org_id text PRIMARY KEY, revision bigint NOT NULL)',
  'CREATE INDEX workspace_revision_revision ON workspace_revision (revision)',
  `GRANT SELECT, INSERT, UPDATE, DELETE ON policy TO ${role}`,
  `GRANT SELECT, UPDATE ON revision TO ${role}`,
  `GRANT SELECT, INSERT, UPDATE ON workspace_revision TO ${role}`,
];
