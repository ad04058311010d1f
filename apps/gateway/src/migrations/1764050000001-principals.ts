import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Workspaces, people, agents and keys as the gateway reads them; the events they come from are in `event`. */
export class Principals1764050000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE workspace (
        org_id text PRIMARY KEY,
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      -- People are global; what they are in a workspace stands in membership.
      CREATE TABLE person (
        member_id text PRIMARY KEY,
        email text NOT NULL,
        password_hash text,
        instance_admin boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE UNIQUE INDEX person_email ON person (lower(email));
      CREATE TABLE membership (
        org_id text NOT NULL REFERENCES workspace,
        member_id text NOT NULL REFERENCES person,
        name text NOT NULL,
        role text NOT NULL CHECK (role IN ('viewer', 'member', 'admin')),
        groups text[] NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (org_id, member_id)
      );
      CREATE TABLE agent (
        id text PRIMARY KEY,
        org_id text NOT NULL REFERENCES workspace,
        name text NOT NULL,
        description text,
        owner_member_id text,
        suspended boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX agent_of_org ON agent (org_id, id);
      CREATE TABLE api_key (
        id text PRIMARY KEY,
        org_id text NOT NULL REFERENCES workspace,
        name text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('operator', 'service', 'agent')),
        -- SHA-256 of the key; the key itself is shown once and stored nowhere.
        hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
        prefix text NOT NULL,
        role text,
        scopes text[] NOT NULL DEFAULT '{}',
        member_id text,
        agent_id text REFERENCES agent,
        made_by text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        expires_at timestamptz,
        revoked_at timestamptz,
        FOREIGN KEY (org_id, member_id) REFERENCES membership,
        CHECK (kind <> 'operator' OR (member_id IS NOT NULL AND role IS NOT NULL)),
        CHECK (kind <> 'agent' OR agent_id IS NOT NULL)
      );
      CREATE INDEX api_key_of_org ON api_key (org_id, id);
      -- Apart from api_key, so that using a key is no change of it.
      CREATE TABLE key_use (key_id text PRIMARY KEY REFERENCES api_key, last_used_at timestamptz NOT NULL);

      -- Every gateway watches this row and forgets what it knows when it moves (decisions §7.3).
      CREATE TABLE revision (one boolean PRIMARY KEY DEFAULT true CHECK (one), value bigint NOT NULL);
      INSERT INTO revision (value) VALUES (0);
      CREATE FUNCTION next_revision() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE revision SET value = value + 1;
        PERFORM pg_notify('gateway_revision', '');
        RETURN NULL;
      END $$;
      CREATE TRIGGER agent_changed AFTER INSERT OR UPDATE ON agent FOR EACH STATEMENT EXECUTE FUNCTION next_revision();
      CREATE TRIGGER key_changed AFTER INSERT OR UPDATE ON api_key FOR EACH STATEMENT EXECUTE FUNCTION next_revision();
      CREATE TRIGGER person_changed AFTER UPDATE ON person FOR EACH STATEMENT EXECUTE FUNCTION next_revision();
      CREATE TRIGGER membership_changed AFTER INSERT OR UPDATE ON membership
        FOR EACH STATEMENT EXECUTE FUNCTION next_revision();

      GRANT SELECT, INSERT ON workspace, membership TO al_gateway;
      GRANT SELECT, INSERT, UPDATE ON person, agent, api_key, key_use TO al_gateway;
      GRANT SELECT, UPDATE ON revision TO al_gateway;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE key_use, api_key, agent, membership, person, workspace, revision; DROP FUNCTION next_revision()',
    );
  }
}
