import { eventually, type Stack, startStack, testPool } from '@agentlattice/testkit';
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import pg from 'pg';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { readLog } from './kit/log.js';

/** An attacker with all rights in the database rewrites policies: event, row and hash together, so that they agree. */
describe('policies that were changed in the database', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  let database: pg.Pool;

  beforeAll(async () => {
    stack = await startStack({ samplePolicy: false });
    database = testPool({ connectionString: stack.adminUrl, options: '-c search_path=policy_engine' });
    await stack.startServices();
    [admin, agent] = [adminOf(stack), agentOf(stack)];
  });
  afterAll(async () => {
    await database.end();
    await stack.stop();
  });

  const write = async (name: string, action_type: string, effect: string) => {
    const { body } = await admin.post('/api/v1/policies', { name, action_type, effect });
    return String(body['id']);
  };
  const verdictOn = async (actionType: string) => {
    const { body } = await agent.submit(actionType);
    return body['denial_reason'] ?? body['status'];
  };
  const entries = async (type: string, policyId: string) =>
    (await readLog(admin)).filter((entry) => entry.type === type && entry.policy?.id === policyId);
  /** The log must hold the policy before it is rewritten. */
  const recorded = (policyId: string) =>
    eventually(async () => (await entries('policy.created', policyId)).length === 1);

  /** Writes the content into the newest event and the row, with the matching hash, with or without a notification. */
  async function rewrite(
    policyId: string,
    change: Record<string, unknown>,
    noticed: boolean,
  ): Promise<unknown> {
    const { rows } = await database.query<{ data: { content: Record<string, unknown> } }>(
      'SELECT data FROM event WHERE stream_id = $1 ORDER BY version DESC LIMIT 1',
      [policyId],
    );
    const before = rows[0]?.data;
    const content = { ...before?.content, ...change };
    const hash = createHash('sha256')
      .update(canonicalize(content) ?? '')
      .digest('hex');
    await put(policyId, { ...before, content, hash }, noticed);
    return before;
  }

  async function put(policyId: string, data: unknown, noticed: boolean) {
    const text = JSON.stringify(data);
    await database.query(
      `UPDATE event SET data = $2 WHERE stream_id = $1
          AND version = (SELECT max(version) FROM event WHERE stream_id = $1)`,
      [policyId, text],
    );
    await database.query(
      `UPDATE policy SET hash = $2::jsonb->>'hash', content = $2::jsonb->'content',
              action_type = $2::jsonb->'content'->>'action_type' WHERE policy_id = $1`,
      [policyId, text],
    );
    if (noticed) await reload();
  }

  /** As a change of the service does. */
  async function reload() {
    await database.query(
      `WITH raised AS (UPDATE revision SET value = value + 1 RETURNING value)
       UPDATE workspace_revision SET revision = value FROM raised`,
    );
    await database.query("SELECT pg_notify('al_policy_revision', '')");
  }

  it('are denied, with one alert and one entry in the log; once restored they govern again', async () => {
    const policyId = await write('payments', 'pay.invoice', 'deny');
    await recorded(policyId);
    const before = await rewrite(policyId, { effect: 'allow', action_type: 'pay.*' }, true);
    await eventually(async () => (await verdictOn('pay.invoice')) === 'POLICY_TAMPERED', {
      within: 90_000,
      every: 200,
    });
    // Actions of its new pattern are denied like those of the recorded one.
    expect(await verdictOn('pay.salary')).toBe('POLICY_TAMPERED');
    await eventually(async () => (await entries('policy.tampering_detected', policyId)).length === 1);
    expect(await entries('policy.tampering_detected', policyId)).toMatchObject([
      { source: 'policy-engine', action_type: 'pay.invoice', policy: { name: 'payments', version: 1 } },
    ]);
    await reload();
    await put(policyId, before, true);
    await eventually(async () => (await verdictOn('pay.invoice')) === 'POLICY_DENIED');
    await eventually(async () => (await entries('policy.tampering_ended', policyId)).length === 1);
    expect(await entries('policy.tampering_detected', policyId)).toHaveLength(1);
    expect(await verdictOn('pay.salary')).toBe('POLICY_NOT_FOUND');
  });

  it('are denied when the policy is removed from the database', async () => {
    const policyId = await write('not to everybody', 'mail.everybody', 'deny');
    await recorded(await write('mail is fine', 'mail.*', 'allow'));
    expect(await verdictOn('mail.everybody')).toBe('POLICY_DENIED');
    await database.query(
      'DELETE FROM event_position WHERE event_id IN (SELECT event_id FROM event WHERE stream_id = $1)',
      [policyId],
    );
    await database.query('DELETE FROM event WHERE stream_id = $1', [policyId]);
    await database.query('DELETE FROM policy WHERE policy_id = $1', [policyId]);
    await reload();
    await eventually(async () => (await verdictOn('mail.everybody')) === 'POLICY_TAMPERED', {
      within: 90_000,
      every: 200,
    });
    expect(await verdictOn('mail.one')).toBe('executed');
    await eventually(async () => (await entries('policy.tampering_detected', policyId)).length === 1);
  });

  it.each([
    ['a version', 'policy.updated', 'ship.parcel'],
    ['a deletion', 'policy.deleted', 'send.parcel'],
  ])(
    'are denied at once where %s was added without a number, whatever its date',
    async (_what, type, action) => {
      await recorded(await write(`fallback of ${action}`, action.replace('parcel', '*'), 'allow'));
      const policyId = await write(`no ${action}`, action, 'deny');
      await recorded(policyId);
      await database.query(
        `INSERT INTO event (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at)
       SELECT org_id, stream_id, 2, event_id || 'x', $2, schema_version, data || '{"version": 2}', meta,
              '2036-01-01T00:00:00Z' FROM event WHERE stream_id = $1`,
        [policyId, type],
      );
      if (type === 'policy.deleted')
        await database.query('DELETE FROM policy WHERE policy_id = $1', [policyId]);
      else {
        await database.query('UPDATE policy SET version = 2 WHERE policy_id = $1', [policyId]);
        await rewrite(policyId, { effect: 'allow' }, false);
      }
      await reload();
      await eventually(async () => (await verdictOn(action)) === 'POLICY_TAMPERED');
      await eventually(async () => (await entries('policy.tampering_detected', policyId)).length === 1);
      // Nothing numbers it afterwards, so the log never makes it valid.
      stack.kill('policy-engine');
      await stack.ready('policy-engine');
      expect(await verdictOn(action)).toBe('POLICY_TAMPERED');
      expect(await entries(type, policyId)).toEqual([]);
    },
  );

  it('are found within a minute when the change was not notified', async () => {
    const policyId = await write('deletions', 'data.delete', 'deny');
    await recorded(policyId);
    await rewrite(policyId, { effect: 'allow' }, false);
    await eventually(async () => (await verdictOn('data.delete')) === 'POLICY_TAMPERED', {
      within: 120_000,
      every: 200,
    });
    expect(await verdictOn('data.delete')).toBe('POLICY_TAMPERED');
    await admin.call('DELETE', `/api/v1/policies/${policyId}`);
  });
});
