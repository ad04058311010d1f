import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_approval_service';

/** Members, the erasable values of decisions, and how requests end. */
export class Deciding1764100000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of down) await runner.query(statement);
  }
}

const up = [
  // From the gateway's events. The row of a member who left is kept, so that a late event does not add the member again.
  `CREATE TABLE member (
     org_id text NOT NULL,
     member_id text NOT NULL,
     role text NOT NULL,
     groups text[] NOT NULL,
     since timestamptz(3) NOT NULL,
     removed_at timestamptz(3),
     PRIMARY KEY (org_id, member_id))`,
  // Erasable: a person's reason, the system's note.
  `CREATE TABLE event_value (
     org_id text NOT NULL,
     event_id text NOT NULL,
     approval_id text NOT NULL,
     name text NOT NULL,
     value text NOT NULL,
     PRIMARY KEY (event_id, name))`,
  'CREATE INDEX event_value_of ON event_value (org_id, approval_id)',
  `ALTER TABLE approval
     ADD denial_reason text,
     ADD scope text,
     ADD grant_expires_at timestamptz(3),
     ADD resolving_event_id text`,
  `UPDATE approval a SET denial_reason = 'approval_timeout', resolving_event_id = e.event_id
     FROM event e
    WHERE a.status = 'timed_out' AND e.org_id = a.org_id AND e.stream_id = a.approval_id
      AND e.type = 'approval.timed_out'`,
  'ALTER TABLE approval DROP reason',
  `CREATE INDEX approval_queue ON approval (org_id, deadline_at, approval_id)
    WHERE status IN ('pending', 'escalated')`,
  'CREATE INDEX approval_by_status ON approval (org_id, status, created_at DESC, approval_id DESC)',
  'CREATE INDEX approval_by_agent ON approval (org_id, agent_id, created_at DESC, approval_id DESC)',
  `GRANT SELECT, INSERT, UPDATE ON member TO ${role}`,
  `GRANT SELECT, INSERT ON event_value TO ${role}`,
];

const down = [
  'DROP TABLE member, event_value',
  'DROP INDEX approval_queue, approval_by_status, approval_by_agent',
  `ALTER TABLE approval ADD reason text, DROP denial_reason, DROP scope, DROP grant_expires_at,
     DROP resolving_event_id`,
];
