import { runMigrations } from '@agentlattice/launcher';
import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import { migrations } from './index.js';
import { Sessions1797300000000 } from './1797300000000-sessions.js';

describe('an installation from before sessions', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    const before = migrations.slice(0, migrations.indexOf(Sessions1797300000000));
    postgres = await startPostgres({ migrations: { gateway: before } });
  });
  afterAll(() => postgres.stop());

  it('knows whose password an administrator set, and who has a key of their own; a former member may come back', async () => {
    const pool = testPool({ connectionString: postgres.databaseUrl('gateway') });
    await pool.query(`INSERT INTO workspace (org_id, name) VALUES ('org_1', 'first')`);
    // The instance administrator, a member whom they added, and a person who accepted an invitation with an own key.
    for (const [i, [id, actor, own]] of (
      [
        ['mbr_root', null, true],
        ['mbr_added', 'mbr_root', false],
        ['mbr_own', 'mbr_root', true],
      ] as const
    ).entries()) {
      await pool.query(
        `INSERT INTO person (member_id, email, password_hash, instance_admin, home_org_id) VALUES ($1, $2, 'hash', $3, 'org_1')`,
        [id, `${id}@example.com`, id === 'mbr_root'],
      );
      await pool.query(
        `INSERT INTO membership (org_id, member_id, person_id, email, name, role) VALUES ('org_1', $1, $1, $2, 'N', 'admin')`,
        [id, `${id}@example.com`],
      );
      await pool.query(
        `INSERT INTO api_key (id, org_id, name, kind, hash, prefix, role, member_id, made_by, own)
         VALUES ($1, 'org_1', 'k', 'operator', $2, '', 'admin', $3, $3, $4)`,
        [`key_${id}`, Buffer.alloc(32, i), id, own],
      );
      await pool.query(
        `INSERT INTO event (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at)
         VALUES ('org_1', $1, 1, 'evt_' || $1, 'member.created', 1, '{}', $2, now())`,
        [id, JSON.stringify({ actor: { kind: actor === null ? 'system' : 'operator', id: actor } })],
      );
    }
    await runMigrations(postgres.adminUrl, 'gateway', migrations);

    const people = await pool.query(
      'SELECT member_id, proven, password_known_to FROM person ORDER BY member_id',
    );
    expect(people.rows).toEqual([
      { member_id: 'mbr_added', proven: false, password_known_to: ['mbr_root'] },
      { member_id: 'mbr_own', proven: true, password_known_to: [] },
      { member_id: 'mbr_root', proven: true, password_known_to: [] },
    ]);
    const again = `INSERT INTO membership (org_id, member_id, person_id, email, name, role)
                   VALUES ('org_1', 'mbr_again', 'mbr_added', 'a@example.com', 'N', 'viewer')`;
    await expect(pool.query(again)).rejects.toThrow('membership_of_person');
    await pool.query(`UPDATE membership SET status = 'removed' WHERE member_id = 'mbr_added'`);
    await pool.query(again);
    await pool.end();
  });
});
