import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_approval_service';

/** The rows for queries and sweeps. They follow from the events, which decide. */
export class ApprovalTables1764000000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE approval, private_value, unopened_request');
  }
}

const up = [
  `CREATE TABLE approval (
     org_id text NOT NULL,
     approval_id text NOT NULL,
     status text NOT NULL,
     escalation_level integer NOT NULL DEFAULT 0,
     audit_event_id text NOT NULL,
     agent_id text NOT NULL,
     agent_name text NOT NULL,
     action_type text NOT NULL,
     action_digest text NOT NULL,
     policy_id text NOT NULL,
     policy jsonb NOT NULL,
     terms jsonb NOT NULL,
     created_at timestamptz(3) NOT NULL,
     deadline_at timestamptz(3) NOT NULL,
     resolved_at timestamptz(3),
     resolved_by text,
     reason text,
     version integer NOT NULL,
     correlation_id text,
     traceparent text,
     PRIMARY KEY (org_id, approval_id))`,
  'CREATE INDEX approval_newest ON approval (org_id, created_at DESC, approval_id DESC)',
  `CREATE INDEX approval_due ON approval (deadline_at) WHERE status IN ('pending', 'escalated')`,
  // The one place of erasable content; events and jobs carry references only.
  `CREATE TABLE private_value (
     org_id text NOT NULL,
     approval_id text NOT NULL,
     name text NOT NULL,
     value text NOT NULL,
     PRIMARY KEY (org_id, approval_id, name))`,
  // Requests that the ledger recorded and that are not opened yet.
  `CREATE TABLE unopened_request (
     org_id text NOT NULL,
     approval_id text NOT NULL,
     noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
     PRIMARY KEY (org_id, approval_id))`,
  `GRANT SELECT, INSERT, UPDATE ON approval TO ${role}`,
  `GRANT SELECT, INSERT ON private_value TO ${role}`,
  `GRANT SELECT, INSERT, DELETE ON unopened_request TO ${role}`,
];
