import { runMigrations } from '@agentlattice/launcher';
import { inTransaction } from '@agentlattice/event-store';
import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import { PrincipalStore } from '../outbound/principal-store.js';
import { SeenAgentNames1796400000000 } from './1796400000000-seen-agent-names.js';
import { migrations } from './index.js';

describe('names of agents from before more characters counted as invisible', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    const before = migrations.slice(0, migrations.indexOf(SeenAgentNames1796400000000));
    postgres = await startPostgres({ migrations: { gateway: before } });
  });
  afterAll(() => postgres.stop());

  it('do not change, and no other agent takes a name that reads the same', async () => {
    const pool = testPool({ connectionString: postgres.databaseUrl('gateway') });
    await pool.query(`INSERT INTO workspace (org_id, name) VALUES ('org_1', 'first'), ('org_2', 'second')`);
    // Workspace, agent in the order of age, name and the form that it was taken with.
    const names = [
      ['org_1', 'agt_1', 'Bo\u{13441}t', 'bo\u{13441}t'],
      ['org_1', 'agt_2', 'bot\ufffc', 'bot\ufffc'],
      ['org_1', 'agt_3', 'other\ue000', 'other\ue000'],
      ['org_1', 'agt_4', 'Other', 'other'],
      ['org_2', 'agt_5', 'bot', 'bot'],
    ] as const;
    for (const [i, [org, id, name, plain]] of names.entries()) {
      await pool.query('INSERT INTO agent (id, org_id, name, created_at) VALUES ($1, $2, $3, $4)', [
        id,
        org,
        name,
        `2026-01-0${String(i + 1)}`,
      ]);
      await pool.query('INSERT INTO agent_name (org_id, agent_id, name, plain) VALUES ($1, $2, $3, $4)', [
        org,
        id,
        name,
        plain,
      ]);
    }
    await runMigrations(postgres.adminUrl, 'gateway', migrations);

    const { rows } = await pool.query('SELECT agent_id, name, plain FROM agent_name ORDER BY agent_id');
    expect(rows).toEqual([
      { agent_id: 'agt_1', name: names[0][2], plain: 'bot' },
      { agent_id: 'agt_2', name: names[1][2], plain: null },
      { agent_id: 'agt_3', name: names[2][2], plain: null },
      { agent_id: 'agt_4', name: 'Other', plain: 'other' },
      { agent_id: 'agt_5', name: 'bot', plain: 'bot' },
    ]);
    const store = new PrincipalStore(pool);
    expect((await store.agent('org_1', 'agt_1'))?.name).toBe(names[0][2]);
    await pool.query(`INSERT INTO agent (id, org_id, name) VALUES ('agt_6', 'org_1', 'bot')`);
    expect(
      await inTransaction(pool, (tx) => store.takeAgentName(tx, 'org_1', { id: 'agt_6', name: 'bot' })),
    ).toBe(false);
    await pool.end();
  });
});
