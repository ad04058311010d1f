import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Invited memberships, the workspace where each account was made, and the members responsible for keys. */
export class Consent1764500000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Where the account was made: only there keys carry the rights over the instance.
      ALTER TABLE person ADD home_org_id text REFERENCES workspace;
      UPDATE person p SET home_org_id =
        (SELECT m.org_id FROM membership m WHERE m.member_id = p.member_id ORDER BY m.created_at, m.org_id LIMIT 1);

      -- The id of a membership says nothing about its person where somebody else made it.
      ALTER TABLE membership
        ADD person_id text REFERENCES person,
        -- In the spelling of this workspace: another workspace may have used capitals.
        ADD email text,
        ADD status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'invited', 'declined'));
      UPDATE membership m SET person_id = p.member_id, email = p.email FROM person p WHERE p.member_id = m.member_id;
      ALTER TABLE membership
        ALTER person_id SET NOT NULL,
        ALTER email SET NOT NULL,
        DROP CONSTRAINT membership_member_id_fkey;
      CREATE UNIQUE INDEX membership_of_person ON membership (person_id, org_id);
      GRANT UPDATE (status) ON membership TO al_gateway;

      -- Where keys come from (domain/key-maker.ts); so far the maker was the member of the key that was used.
      ALTER TABLE api_key ADD own boolean NOT NULL DEFAULT false;
      WITH RECURSIVE key AS (
        SELECT k.id, k.org_id, k.kind, k.member_id, k.made_by,
               (SELECT e.meta -> 'actor' ->> 'key_id' FROM event e
                 WHERE e.org_id = k.org_id AND e.stream_id = k.id AND e.version = 1) AS used
          FROM api_key k
      ), origin AS (
        SELECT id, org_id, member_id, made_by, kind = 'operator' AND made_by IS NOT DISTINCT FROM member_id AS own FROM key
         WHERE NOT EXISTS (SELECT 1 FROM key u WHERE u.id = key.used AND u.org_id = key.org_id)
        UNION ALL
        SELECT key.id, key.org_id, key.member_id, u.made_by,
               key.kind = 'operator' AND u.own AND u.member_id = key.member_id
          FROM key JOIN origin u ON u.id = key.used AND u.org_id = key.org_id
      )
      UPDATE api_key k SET made_by = o.made_by, own = o.own FROM origin o
       WHERE o.id = k.id AND (k.made_by, k.own) IS DISTINCT FROM (o.made_by, o.own);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM membership WHERE person_id <> member_id;
      ALTER TABLE membership DROP person_id, DROP email, DROP status, ADD FOREIGN KEY (member_id) REFERENCES person;
      ALTER TABLE person DROP home_org_id;
      ALTER TABLE api_key DROP own;
    `);
  }
}
