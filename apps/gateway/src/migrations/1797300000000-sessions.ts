import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sessions of people who sign in, failed tries to sign in, and what is known about the passwords of accounts. */
export class Sessions1797300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE person
        -- Whether the person has proven to own the account: only then its sessions act in other workspaces (ADR 48).
        ADD proven boolean NOT NULL DEFAULT false,
        -- The members who set the password, or were told it; empty once the person has changed it.
        ADD password_known_to text[] NOT NULL DEFAULT '{}';
      UPDATE person p SET proven = true
       WHERE EXISTS (SELECT 1 FROM api_key k WHERE k.own AND k.member_id = p.member_id);
      UPDATE person p SET password_known_to = ARRAY[e.meta -> 'actor' ->> 'id']
        FROM event e
       WHERE NOT p.proven AND p.password_hash IS NOT NULL AND e.stream_id = p.member_id AND e.version = 1
         AND e.type = 'member.created' AND e.meta -> 'actor' ->> 'id' IS NOT NULL;

      CREATE TABLE session (
        id text PRIMARY KEY,
        -- SHA-256 of the token; the token itself is in the cookie alone.
        hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
        person_id text NOT NULL REFERENCES person,
        org_id text NOT NULL,
        member_id text NOT NULL,
        method text NOT NULL,
        address text,
        user_agent text,
        created_at timestamptz(3) NOT NULL,
        last_used_at timestamptz(3) NOT NULL,
        -- Moves with use; not after ends_at.
        expires_at timestamptz(3) NOT NULL,
        ends_at timestamptz(3) NOT NULL,
        ended_at timestamptz(3),
        FOREIGN KEY (org_id, member_id) REFERENCES membership
      );
      CREATE INDEX session_of_person ON session (person_id, created_at);
      CREATE INDEX session_of_member ON session (org_id, member_id);
      CREATE TRIGGER session_ended AFTER UPDATE OF ended_at ON session
        FOR EACH STATEMENT EXECUTE FUNCTION next_revision();

      -- By SHA-256, so that no address that was tried is stored.
      CREATE TABLE sign_in_attempt (
        kind text NOT NULL CHECK (kind IN ('account', 'address')),
        subject bytea NOT NULL,
        failures integer NOT NULL,
        last_at timestamptz(3) NOT NULL,
        PRIMARY KEY (kind, subject)
      );
      CREATE INDEX sign_in_attempt_by_time ON sign_in_attempt (last_at);
      GRANT SELECT, INSERT, UPDATE, DELETE ON session, sign_in_attempt TO al_gateway;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE session, sign_in_attempt; ALTER TABLE person DROP proven, DROP password_known_to',
    );
  }
}
