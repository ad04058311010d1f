import { eventually, makeWorkspace, type Stack, startStack } from '@agentlattice/testkit';
import pg from 'pg';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { addPerson, addPersonWithOwnKey } from './kit/people.js';

describe('the rows of the services', () => {
  let stack: Stack;
  let root: Api;
  let agent: Api;

  beforeAll(async () => {
    stack = await startStack();
    await stack.startServices();
    root = adminOf(stack);
    agent = agentOf(stack);
  });
  afterAll(() => stack.stop());

  it('the trace of a caller reaches the rows of events', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const { body } = await agent.post(
      '/api/v1/actions',
      { action_type: 'deploy.production' },
      { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    );
    const client = new pg.Client({ connectionString: stack.adminUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ traceparent: string }>(
        `SELECT meta->>'traceparent' AS traceparent FROM approval_service.event WHERE stream_id = $1 AND type = 'approval.opened'`,
        [body['approval_id']],
      );
      expect(rows[0]?.traceparent).toContain(traceId);
    } finally {
      await client.end();
    }
  });

  it('no service reads another’s tables, and none changes the log', async () => {
    const asGateway = new pg.Client({ connectionString: stack.databaseUrl('gateway') });
    const asLedger = new pg.Client({ connectionString: stack.databaseUrl('audit-ledger') });
    await asGateway.connect();
    await asLedger.connect();
    try {
      await expect(asGateway.query('SELECT * FROM audit_ledger.entry')).rejects.toThrow('permission denied');
      await expect(asGateway.query('UPDATE gateway.event SET type = type')).rejects.toThrow(
        'permission denied',
      );
      for (const statement of ['UPDATE entry SET seq = seq', 'DELETE FROM entry', 'TRUNCATE entry'])
        await expect(asLedger.query(statement)).rejects.toThrow();
    } finally {
      await asGateway.end();
      await asLedger.end();
    }
  });

  it('a holder of the key that wrote a policy does not decide for an agent without an owner', async () => {
    const made = await makeWorkspace(stack.baseUrl, stack.credentials.admin.api_key);
    const founder = root.as(made.admin.api_key);
    const service = root.as(made.service_key);
    const lent = await addPerson(founder, { name: 'author-lent', role: 'admin' });
    const other = await addPersonWithOwnKey(root, founder, { name: 'author-other', role: 'admin' });
    const bot = (await service.post('/api/agents/register', { name: 'bot' })).body;
    // As registered by a service key whose maker is not known.
    const database = new pg.Client({ connectionString: stack.databaseUrl('gateway') });
    await database.connect();
    await database.query('UPDATE agent SET owner_member_id = NULL, registrants = DEFAULT WHERE id = $1', [
      bot['id'],
    ]);
    await database.query(`UPDATE api_key SET made_by = NULL, shown_to = '{}' WHERE agent_id = $1`, [
      bot['id'],
    ]);
    await database.end();
    const unowned = root.as(String(bot['api_key']));
    const policy = { effect: 'require_approval', separation_of_duties: true };
    for (const [by, action_type] of [
      [lent.api, 'authored.by-operator'],
      [service, 'authored.by-service'],
    ] as const) {
      expect((await by.post('/api/v1/policies', { name: action_type, action_type, ...policy })).status).toBe(
        201,
      );
      // The other gateway and the engine have the change within a second.
      const id = await eventually(async () => {
        const { status, body } = await unowned.submit(action_type, {});
        return status === 202 ? String(body['approval_id']) : undefined;
      });
      const approve = (api: Api) => api.post(`/api/v1/approvals/${id}/approve`, {});
      for (const holder of [founder, lent.api])
        expect(await approve(holder)).toMatchObject({ status: 403, body: { error: 'FORBIDDEN' } });
      expect(await approve(other.api)).toMatchObject({ status: 200, body: { status: 'approved' } });
    }
  });
});
