import type { MigrationInterface, QueryRunner } from 'typeorm';

const role = 'al_notifier';

/** The channels of workspaces and the state of their deliveries. */
export class ChannelTables1764100000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE delivery_attempt, delivery, channel');
  }
}

const up = [
  // Settings contain addresses, and secrets are sealed. Both are erased with the channel; its row and its events are kept.
  `CREATE TABLE channel (
     org_id text NOT NULL,
     channel_id text NOT NULL,
     type text NOT NULL,
     name text NOT NULL,
     events text[] NOT NULL,
     enabled boolean NOT NULL,
     disabled_reason text,
     settings jsonb NOT NULL,
     secret text,
     former_secret text,
     former_until timestamptz(3),
     created_at timestamptz(3) NOT NULL,
     updated_at timestamptz(3) NOT NULL,
     deleted_at timestamptz(3),
     PRIMARY KEY (org_id, channel_id))`,
  `CREATE TABLE delivery (
     delivery_id text PRIMARY KEY,
     position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
     org_id text NOT NULL,
     channel_id text,
     type text NOT NULL,
     target text NOT NULL,
     -- What shares a lane shares a receiver, and a bound of how much is under way at a time.
     lane text NOT NULL,
     event_id text NOT NULL REFERENCES outgoing_event (event_id),
     event_position bigint NOT NULL,
     event_type text NOT NULL,
     approval_id text,
     pending_until timestamptz(3),
     status text NOT NULL DEFAULT 'pending',
     -- When it is due; while it is claimed, when the claim ends.
     due_at timestamptz(3) DEFAULT clock_timestamp(),
     claim text,
     failures integer NOT NULL DEFAULT 0,
     attempts integer NOT NULL DEFAULT 0,
     refused boolean NOT NULL DEFAULT false,
     error text,
     mail text,
     created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
     delivered_at timestamptz(3))`,
  `CREATE INDEX delivery_due ON delivery (due_at) WHERE status = 'pending'`,
  'CREATE INDEX delivery_of_approval ON delivery (org_id, approval_id, position) WHERE approval_id IS NOT NULL',
  'CREATE INDEX delivery_newest ON delivery (org_id, position DESC)',
  'CREATE INDEX delivery_of_channel ON delivery (org_id, channel_id, position DESC) WHERE channel_id IS NOT NULL',
  `CREATE TABLE delivery_attempt (
     delivery_id text NOT NULL REFERENCES delivery (delivery_id),
     number integer NOT NULL,
     at timestamptz(3) NOT NULL,
     duration_ms integer NOT NULL,
     status integer,
     error text,
     answer text,
     PRIMARY KEY (delivery_id, number))`,
  `GRANT SELECT, INSERT, UPDATE ON channel, delivery TO ${role}`,
  `GRANT SELECT, INSERT ON delivery_attempt TO ${role}`,
  // The position in the outcomes is removed when no channel asks for them any longer.
  `GRANT DELETE ON consumer_position TO ${role}`,
];
