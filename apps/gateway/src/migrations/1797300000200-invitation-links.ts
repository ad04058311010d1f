import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The links by which invited people accept, as SHA-256 and for one use; and the accounts of people at an OpenID provider. */
export class InvitationLinks1797300000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE invitation_link (
        hash bytea PRIMARY KEY CHECK (length(hash) = 32),
        org_id text NOT NULL,
        member_id text NOT NULL,
        -- Only sent by mail: having it proves that one reads the mail of that address.
        mailed boolean NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        FOREIGN KEY (org_id, member_id) REFERENCES membership
      );
      CREATE INDEX invitation_link_of_member ON invitation_link (org_id, member_id);

      -- Accounts at an OpenID provider, which names a person by issuer and subject.
      CREATE TABLE oidc_identity (
        issuer text NOT NULL,
        subject text NOT NULL,
        person_id text NOT NULL REFERENCES person,
        PRIMARY KEY (issuer, subject)
      );
      CREATE INDEX oidc_identity_of_person ON oidc_identity (person_id);
      GRANT SELECT, INSERT, UPDATE, DELETE ON invitation_link TO al_gateway;
      GRANT SELECT, INSERT ON oidc_identity TO al_gateway;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE invitation_link, oidc_identity');
  }
}
