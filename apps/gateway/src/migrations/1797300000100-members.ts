import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Members can be changed and removed. The row of a removed member stays, because keys, sessions and the log name its id. */
export class Members1797300000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE membership DROP CONSTRAINT membership_status_check;
      ALTER TABLE membership ADD CONSTRAINT membership_status_check
        CHECK (status IN ('active', 'invited', 'declined', 'removed'));
      DROP INDEX membership_of_person;
      CREATE UNIQUE INDEX membership_of_person ON membership (person_id, org_id) WHERE status <> 'removed';
      GRANT UPDATE (name, role, groups) ON membership TO al_gateway;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX membership_of_person;
      UPDATE membership SET status = 'declined' WHERE status = 'removed';
      ALTER TABLE membership DROP CONSTRAINT membership_status_check;
      ALTER TABLE membership ADD CONSTRAINT membership_status_check CHECK (status IN ('active', 'invited', 'declined'));
      CREATE UNIQUE INDEX membership_of_person ON membership (person_id, org_id);
      REVOKE UPDATE (name, role, groups) ON membership FROM al_gateway;
    `);
  }
}
