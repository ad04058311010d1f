import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_approval_service';

/**
 * Open requests have a row in a narrow table, which is deleted when the request ends, so that the row of the approval changes
 * without touching an index. The erasable values of a request are one row instead of three.
 */
export class OpenRequests1796100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('the migration of the tables cannot be undone'));
  }
}

const up = [
  `CREATE TABLE open_request (
     org_id text NOT NULL,
     approval_id text NOT NULL,
     deadline_at timestamptz(3) NOT NULL,
     next_escalation_at timestamptz(3),
     PRIMARY KEY (org_id, approval_id))`,
  `INSERT INTO open_request (org_id, approval_id, deadline_at, next_escalation_at)
     SELECT org_id, approval_id, deadline_at, next_escalation_at FROM approval
      WHERE status IN ('pending', 'escalated')`,
  'CREATE INDEX open_request_due ON open_request (deadline_at)',
  'CREATE INDEX open_request_queue ON open_request (org_id, deadline_at, approval_id)',
  `CREATE INDEX open_request_escalation ON open_request (next_escalation_at)
    WHERE next_escalation_at IS NOT NULL`,
  'DROP INDEX approval_due, approval_queue, approval_by_status, approval_escalation_due',
  'ALTER TABLE approval DROP next_escalation_at',
  // Most rows are changed once. This leaves room for the new version in the same page.
  'ALTER TABLE approval SET (fillfactor = 70)',
  `GRANT SELECT, INSERT, UPDATE, DELETE ON open_request TO ${role}`,
  'ALTER TABLE private_value RENAME TO private_value_by_name',
  'ALTER INDEX private_value_pkey RENAME TO private_value_by_name_pkey',
  // The one place of erasable content; null once it is erased.
  `CREATE TABLE private_value (
     org_id text NOT NULL,
     approval_id text NOT NULL,
     metadata text,
     data_accessed text,
     conditions_evaluated text,
     PRIMARY KEY (org_id, approval_id))`,
  `INSERT INTO private_value (org_id, approval_id, metadata, data_accessed, conditions_evaluated)
     SELECT org_id, approval_id, max(value) FILTER (WHERE name = 'metadata'),
            max(value) FILTER (WHERE name = 'data_accessed'),
            max(value) FILTER (WHERE name = 'conditions_evaluated')
       FROM private_value_by_name GROUP BY org_id, approval_id`,
  'DROP TABLE private_value_by_name',
  `GRANT SELECT, INSERT, UPDATE ON private_value TO ${role}`,
];
