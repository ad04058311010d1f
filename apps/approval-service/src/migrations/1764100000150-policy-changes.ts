import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_approval_service';

/** Changes of policies, and the requests to judge again because of them. */
export class PolicyChanges1764100000150 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE rejudging, policy_change');
    await runner.query('DROP FUNCTION pattern_matches');
    await runner.query(`REVOKE UPDATE ON private_value FROM ${role}`);
  }
}

const up = [
  // In the order in which the policy engine made them; `seq` says which one is newer.
  `CREATE TABLE policy_change (
     seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     org_id text NOT NULL,
     event_id text NOT NULL UNIQUE,
     type text NOT NULL,
     policy_id text NOT NULL,
     policy_name text NOT NULL,
     policy_version integer NOT NULL,
     pattern text NOT NULL,
     -- Of the version before: what this policy may have governed until then.
     previous_pattern text,
     -- What is to become of its requests once it governs them no more, by this version.
     on_removed text NOT NULL,
     -- Whether this version governs anything: it is there, active, and no shadow.
     governs boolean NOT NULL,
     correlation_id text,
     traceparent text,
     -- Not before its commit. A request that was judged long after this time was judged with the change.
     noted_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
     spread boolean NOT NULL DEFAULT false)`,
  'CREATE INDEX policy_change_of ON policy_change (org_id, policy_id, seq)',
  'CREATE INDEX policy_change_noted ON policy_change (org_id, noted_at)',
  'CREATE INDEX policy_change_unspread ON policy_change (seq) WHERE NOT spread',
  // One row per waiting request; deleted in the commit that applies the judgement.
  `CREATE TABLE rejudging (
     org_id text NOT NULL,
     approval_id text NOT NULL,
     -- The newest change that concerns the request.
     change_seq bigint NOT NULL REFERENCES policy_change (seq),
     created_at timestamptz(3) NOT NULL,
     PRIMARY KEY (org_id, approval_id))`,
  'CREATE INDEX rejudging_oldest ON rejudging (org_id, created_at, approval_id)',
  // Wider than the engine's own matching at its edges: judging once too often changes nothing.
  `CREATE FUNCTION pattern_matches(pattern text, action_type text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
     SELECT pattern = '*' OR pattern = action_type
         OR (right(pattern, 2) = '.*' AND starts_with(action_type, left(pattern, -1))) $$`,
  `GRANT SELECT, INSERT, UPDATE ON policy_change TO ${role}`,
  `GRANT SELECT, INSERT, UPDATE, DELETE ON rejudging TO ${role}`,
  // The conditions that are shown are those of the policy that governs.
  `GRANT UPDATE ON private_value TO ${role}`,
];
