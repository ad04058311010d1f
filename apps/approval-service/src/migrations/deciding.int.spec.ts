import { runMigrations } from '@agentlattice/launcher';
import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import { migrations } from './index.js';

describe('an installation of 0.1.0', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres({ migrations: { 'approval-service': migrations.slice(0, 2) } });
  });
  afterAll(() => postgres.stop());

  it('keeps its requests, and gives the reason of those that timed out', async () => {
    const pool = testPool({ connectionString: postgres.databaseUrl('approval-service') });
    const row = (id: string, status: string) => ({
      org_id: 'org_1',
      approval_id: id,
      status,
      audit_event_id: 'evt_1',
      agent_id: 'agt_1',
      agent_name: 'builder',
      action_type: 'deploy',
      action_digest: 'd',
      policy_id: 'pol_1',
      policy: {},
      terms: {},
      escalation_level: 0,
      created_at: new Date(),
      deadline_at: new Date(),
      reason: status === 'timed_out' ? 'approval_timeout' : null,
      version: 2,
    });
    await pool.query('INSERT INTO approval SELECT * FROM jsonb_populate_recordset(NULL::approval, $1)', [
      JSON.stringify([row('apr_late', 'timed_out'), row('apr_open', 'pending')]),
    ]);
    await pool.query(
      `INSERT INTO event (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at)
       VALUES ('org_1', 'apr_late', 2, 'evt_end', 'approval.timed_out', 1, '{}', '{}', now())`,
    );
    await runMigrations(postgres.adminUrl, 'approval-service', migrations);
    const { rows } = await pool.query(
      'SELECT approval_id, denial_reason, resolving_event_id FROM approval ORDER BY approval_id',
    );
    expect(rows).toEqual([
      { approval_id: 'apr_late', denial_reason: 'approval_timeout', resolving_event_id: 'evt_end' },
      { approval_id: 'apr_open', denial_reason: null, resolving_event_id: null },
    ]);
    await pool.end();
  });
});
