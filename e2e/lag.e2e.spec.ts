import { eventually, refuseWrites, type Stack, startStack } from '@agentlattice/testkit';
import pg from 'pg';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';

describe('a part that is behind or cannot store', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  beforeAll(async () => {
    stack = await startStack({ samplePolicy: false });
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
    await admin.policy({ name: 'asks', action_type: 'ask.me', effect: 'require_approval' });
    await admin.policy({ name: 'lets', action_type: 'let.me', effect: 'allow' });
  });
  afterAll(() => stack.stop());

  const readiness = async (path = '/readyz') => {
    const { status, body } = await agent.get(path);
    return { status, ...(body as { missing: string[]; degraded: string[]; reasons: string[] }) };
  };
  const ready = () => eventually(async () => (await readiness()).status === 200, { within: 60_000 });
  /** The sentence in which readiness names it. */
  const told = (name: string) =>
    eventually(
      async () => {
        const { status, missing, degraded, reasons } = await readiness();
        const at = missing.indexOf(name);
        return status === 503 && degraded.includes(name) ? reasons[at] : undefined;
      },
      { within: 60_000 },
    );

  it('is named when the event stream refuses writes; submissions are refused, decisions stand and are logged', async () => {
    const { requested, approve, trail } = approvalsOf(admin, agent);
    await eventually(async () => (await agent.submit('let.me')).status === 200);
    const [first, second] = [await requested('ask.me'), await requested('ask.me')];
    await ready();
    const mend = await refuseWrites(stack.natsUrl('admin'));
    expect(await told('event stream')).toMatch(/^the event stream has refused writes for \d+ s$/);
    const refused = await agent.submit('let.me', {}, 'once');
    expect(refused).toMatchObject({ status: 503, body: { error: 'UNAVAILABLE' } });
    expect(refused.body['detail']).toMatch(/^the event stream has refused writes for \d+ s$/);
    expect(refused.headers.get('retry-after')).toBe('1');
    // A decision needs gateway and approval-service only, and the log asks their tables, not the stream.
    expect((await approve(first)).status).toBe(200);
    await trail(first, 'approval.approved');
    expect(await told('relay of the approval-service')).toMatch(
      /^relay of the approval-service is \d+ s behind$/,
    );
    // Probes of a cluster use this one: restarting services would repair nothing.
    expect(await readiness('/readyz?scope=local')).toMatchObject({ status: 200, missing: [] });
    await mend();
    await ready();
    expect((await agent.submit('let.me', {}, 'once')).status).toBe(200);
    expect((await approve(second)).status).toBe(200);
    await trail(second, 'approval.approved');
  });

  it('is named when a relay stands still, and green again by itself when it goes on', async () => {
    const { requested, approve } = approvalsOf(admin, agent);
    const id = await requested('ask.me');
    await ready();
    // Another session takes the lock of the relay, as a replica that hangs would.
    const holder = new pg.Client({ connectionString: stack.databaseUrl('approval-service') });
    await holder.connect();
    const held = holder.query(`SELECT pg_advisory_lock(715402003, hashtext('approval_service'))`);
    const superuser = new pg.Client({ connectionString: stack.adminUrl });
    await superuser.connect();
    await superuser.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'approval-service-relay'`,
    );
    await held;
    await superuser.end();
    expect((await approve(id)).status).toBe(200);
    expect(await told('relay of the approval-service')).toMatch(
      /^relay of the approval-service is \d+ s behind$/,
    );
    expect((await readiness()).missing).toEqual(expect.arrayContaining(['relay of the approval-service']));
    await holder.end();
    await ready();
  });
});
