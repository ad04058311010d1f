import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_policy_engine';

/** The changes of policies that approvals forever request, and the members who may request them. */
export class ForeverTables1764000000300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE member_role, forever_request');
  }
}

const up = [
  // The engine's own knowledge of administrators: a claim alone does not change policies.
  `CREATE TABLE member_role (
     org_id text NOT NULL,
     member_id text NOT NULL,
     role text NOT NULL,
     PRIMARY KEY (org_id, member_id))`,
  // One row per approval, settled once by a command or an event.
  `CREATE TABLE forever_request (
     org_id text NOT NULL,
     approval_id text NOT NULL,
     -- Null when the command came before the event.
     request jsonb,
     -- Null until it is settled.
     result jsonb,
     noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
     PRIMARY KEY (org_id, approval_id))`,
  'CREATE INDEX forever_request_unsettled ON forever_request (noted_at) WHERE result IS NULL',
  `GRANT SELECT, INSERT, UPDATE ON member_role, forever_request TO ${role}`,
];
