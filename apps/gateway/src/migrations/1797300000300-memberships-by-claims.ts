import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which memberships the claims of an OpenID provider give, so that a session by the provider stays out of those they gave before. */
export class MembershipsByClaims1797300000300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- True: the last claims gave it. False: they gave it before. Null: it was never given by claims.
      ALTER TABLE membership ADD by_claims boolean;
      -- Nobody knows which of them the claims gave; the next sign-in says which of them they give.
      UPDATE membership m SET by_claims = true
       WHERE status <> 'removed' AND EXISTS (SELECT 1 FROM oidc_identity i WHERE i.person_id = m.person_id);
      GRANT UPDATE (by_claims) ON membership TO al_gateway;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE membership DROP by_claims');
  }
}
