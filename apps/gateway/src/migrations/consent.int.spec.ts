import { runMigrations } from '@agentlattice/launcher';
import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import { migrations } from './index.js';

describe('an installation from before invitations', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres({ migrations: { gateway: migrations.slice(0, 2) } });
  });
  afterAll(() => postgres.stop());

  it('keeps its members, and finds the member responsible for every key that was made with another key', async () => {
    const pool = testPool({ connectionString: postgres.databaseUrl('gateway') });
    await pool.query(`INSERT INTO workspace (org_id, name) VALUES ('org_1', 'first'), ('org_2', 'second')`);
    await pool.query(
      `INSERT INTO person (member_id, email, instance_admin) VALUES ('mbr_a', 'a@example.com', true),
         ('mbr_b', 'b@example.com', false), ('mbr_c', 'c@example.com', false)`,
    );
    await pool.query(
      `INSERT INTO membership (org_id, member_id, name, role, created_at) VALUES
         ('org_1', 'mbr_a', 'A', 'admin', '2026-01-01'), ('org_2', 'mbr_a', 'A', 'viewer', '2026-01-02'),
         ('org_1', 'mbr_b', 'B', 'admin', '2026-01-03'), ('org_2', 'mbr_c', 'C', 'admin', '2026-01-04')`,
    );
    // Name, workspace, member, the maker and the key as known so far.
    const keys = [
      ['root', 'org_1', 'mbr_a', 'mbr_a', null],
      ['own', 'org_1', 'mbr_a', 'mbr_a', 'root'],
      ['given', 'org_1', 'mbr_b', 'mbr_a', 'root'],
      ['looks own', 'org_1', 'mbr_b', 'mbr_b', 'given'],
      ['comes back', 'org_1', 'mbr_a', 'mbr_b', 'given'],
      ['and again', 'org_1', 'mbr_a', 'mbr_a', 'comes back'],
      ['founder', 'org_2', 'mbr_c', 'mbr_c', 'root'],
      ['theirs', 'org_2', 'mbr_a', 'mbr_c', 'founder'],
      ['borrowed', 'org_2', 'mbr_a', 'mbr_a', 'theirs'],
    ] as const;
    for (const [i, [id, org, member, madeBy, used]] of keys.entries()) {
      await pool.query(
        `INSERT INTO api_key (id, org_id, name, kind, hash, prefix, role, member_id, made_by)
         VALUES ($1, $2, $1, 'operator', $3, '', 'admin', $4, $5)`,
        [id, org, Buffer.alloc(32, i), member, madeBy],
      );
      await pool.query(
        `INSERT INTO event (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at)
         VALUES ($1, $2, 1, 'evt_' || $2, 'key.created', 1, '{}', $3, now())`,
        [org, id, JSON.stringify({ actor: { key_id: used } })],
      );
    }
    await pool.query(
      `INSERT INTO agent (id, org_id, name, created_at) VALUES ('agt_1', 'org_1', 'bot', '2026-01-02'),
         ('agt_2', 'org_1', 'bot', '2026-01-01'), ('agt_3', 'org_2', 'bot', '2026-01-03'),
         ('agt_4', 'org_1', 'Bot', '2026-01-04'), ('agt_5', 'org_1', E'bo\\u200bt', '2026-01-05'),
         ('agt_6', 'org_1', 'Other', '2026-01-06')`,
    );
    for (const [i, madeBy] of ['mbr_a', 'mbr_b'].entries())
      await pool.query(
        `INSERT INTO api_key (id, org_id, name, kind, hash, prefix, agent_id, made_by, created_at)
         VALUES ($1, 'org_1', 'k', 'agent', $2, '', 'agt_2', $3, $4)`,
        [`agent key ${String(i)}`, Buffer.alloc(32, 100 + i), madeBy, `2026-01-0${String(i + 1)}`],
      );
    await runMigrations(postgres.adminUrl, 'gateway', migrations);

    const makers = await pool.query<{ id: string; made_by: string }>(
      `SELECT id, made_by || CASE WHEN own THEN ', own' ELSE '' END AS made_by FROM api_key WHERE kind = 'operator'`,
    );
    expect(Object.fromEntries(makers.rows.map(({ id, made_by }) => [id, made_by]))).toEqual({
      root: 'mbr_a, own',
      own: 'mbr_a, own',
      given: 'mbr_a',
      'looks own': 'mbr_a',
      'comes back': 'mbr_a',
      'and again': 'mbr_a',
      founder: 'mbr_c, own',
      theirs: 'mbr_c',
      borrowed: 'mbr_c',
    });
    const names = await pool.query('SELECT org_id, name, agent_id, plain FROM agent_name ORDER BY agent_id');
    expect(names.rows).toEqual([
      { org_id: 'org_1', name: 'bot', agent_id: 'agt_2', plain: 'bot' },
      { org_id: 'org_2', name: 'bot', agent_id: 'agt_3', plain: 'bot' },
      // Agents whose names read the same keep them; the oldest holds the name.
      { org_id: 'org_1', name: 'Bot', agent_id: 'agt_4', plain: null },
      { org_id: 'org_1', name: 'bo\u200bt', agent_id: 'agt_5', plain: null },
      { org_id: 'org_1', name: 'Other', agent_id: 'agt_6', plain: 'other' },
    ]);
    const registrants = await pool.query('SELECT id, registrants FROM agent WHERE id <= $1 ORDER BY id', [
      'agt_2',
    ]);
    expect(registrants.rows).toEqual([
      { id: 'agt_1', registrants: [] },
      { id: 'agt_2', registrants: ['mbr_a'] },
    ]);
    const people = await pool.query('SELECT member_id, home_org_id FROM person ORDER BY member_id');
    expect(people.rows.map((row: { home_org_id: string }) => row.home_org_id)).toEqual([
      'org_1',
      'org_1',
      'org_2',
    ]);
    const members = await pool.query(
      `SELECT 1 FROM membership WHERE status = 'active' AND person_id = member_id AND email LIKE '%@example.com'`,
    );
    expect(members.rowCount).toBe(4);
    await pool.end();
  });
});
