import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { addPerson, type Person } from './kit/people.js';

describe('what a dashboard reads', () => {
  let stack: SharedStack;
  let admin: Api;
  let agent: Api;
  let mia: Person;
  let viewer: Person;
  let requests: ReturnType<typeof approvalsOf>;

  beforeAll(async () => {
    stack = await joinSharedStack();
    admin = adminOf(stack);
    agent = agentOf(stack);
    requests = approvalsOf(admin, agent);
    mia = await addPerson(admin, { name: 'mia', role: 'member' });
    viewer = await addPerson(admin, { name: 'vera', role: 'viewer' });
    await requests.asksFor('pay.out', { approver_groups: [{ group: 'finance', count: 1 }] });
    await requests.asksFor('mail.*', { name: 'customer mail' });
    await requests.asksFor('soon.over', { timeout: '1s' });
  });
  afterAll(() => stack.leave());

  const list = async (api: Api, query: string) =>
    (await api.get(`/api/v1/approvals?status=pending&${query}`)).body as {
      approvals: Record<string, unknown>[];
      total: number;
      hidden: number;
      counts: unknown;
      now: string;
    };
  const show = async (id: string, api: Api) => (await api.get(`/api/v1/approvals/${id}`)).body;

  it('is whether the caller can decide, and the queue of what the caller can decide', async () => {
    const pay = await requests.requested('pay.out', { amount: 12 });
    expect(await show(pay, mia.api)).toMatchObject({
      can_decide: false,
      cannot_decide_reason: { code: 'NOT_IN_GROUPS' },
      window_seconds: 1_800,
    });
    expect(await show(pay, viewer.api)).toMatchObject({ cannot_decide_reason: { code: 'VIEWER' } });
    expect(await requests.approve(pay, {}, mia.api)).toMatchObject({ status: 403 });
    const mine = await list(mia.api, 'decidable=true&action_type=pay.out');
    expect(mine).toMatchObject({ approvals: [], total: 0, hidden: 1 });
    const all = await list(mia.api, 'q=PAY.o');
    expect(all).toMatchObject({
      approvals: [{ id: pay, can_decide: false }],
      total: 1,
      hidden: 0,
      counts: { under_5_minutes: 0, under_1_hour: 1, later: 0 },
    });
    expect(Math.abs(Date.parse(all.now) - Date.now())).toBeLessThan(60_000);
    const own = await agent.get(`/api/v1/approvals/${pay}`);
    expect(own.body).toMatchObject({ can_decide: false, cannot_decide_reason: { code: 'AGENT_KEY' } });
    expect(own.body).not.toHaveProperty('cues');
  });

  it('has no secret that an agent sent, in no answer to an operator', async () => {
    const id = await requests.requested('mail.send', { to: 'kim@example.com', smtp_password: 'hunter2' });
    const answers: Answer[] = [
      await admin.get(`/api/v1/approvals/${id}`),
      await viewer.api.get('/api/v1/approvals?status=pending'),
      await admin.get('/api/v1/approvals?q=kim'),
      await requests.approve(id, { seen_ms: 2_500 }),
      await admin.get('/api/v1/approvals?status=decided'),
    ];
    for (const { status, text } of answers) {
      expect(status).toBe(200);
      expect(text).toContain('kim@example.com');
      expect(text).not.toContain('hunter2');
    }
    expect(answers[0]?.body).toMatchObject({
      metadata: { to: 'kim@example.com', smtp_password: null },
      masked: ['/metadata/smtp_password'],
    });
    expect((await agent.get(`/api/v1/approvals/${id}`)).body['metadata']).toMatchObject({
      smtp_password: 'hunter2',
    });
  });

  it('is what differs from the last approved request', async () => {
    const id = await requests.requested('mail.send', { to: 'lee@example.com', smtp_password: 'hunter3' });
    expect(await show(id, mia.api)).toMatchObject({
      previous: {
        changed: [
          { field: '/metadata/smtp_password', was: null, masked: true },
          { field: '/metadata/to', was: 'kim@example.com', masked: false },
        ],
      },
      cues: [],
    });
    await requests.deny(id, { reason: 'not this one' }, mia.api);
  });

  it('is what an approval forever would do, and that is what it does', async () => {
    const id = await requests.requested('mail.send', { to: 'ann@example.com' });
    const other = await requests.requested('mail.newsletter', { to: 'all@example.com' });
    const preview = await admin.get(`/api/v1/approvals/${id}/forever`);
    expect(preview).toMatchObject({
      status: 200,
      body: {
        forever_for: 'policy',
        policy: { name: 'customer mail', version: 1 },
        plan: {
          changes: true,
          current: { effect: 'require_approval' },
          next: { version: 2, effect: 'allow', action_type: 'mail.*', is_new: false },
        },
        denials_30d: { asked: 4, denied: 1, last: { reason: 'not this one', resolved_by_name: 'mia' } },
        waiting: [{ approval_id: other, action_type: 'mail.newsletter' }],
        waiting_total: 1,
        completes: true,
      },
    });
    expect((await admin.get(`/api/v1/approvals/${id}/forever?forever_for=action_type`)).body).toMatchObject({
      plan: { next: { is_new: true, action_type: 'mail.send' } },
      waiting: [],
    });
    expect(await mia.api.get(`/api/v1/approvals/${id}/forever`)).toMatchObject({ status: 403 });
    const version = (preview.body['policy'] as { version: number }).version;
    const forever = { scope: 'forever', policy_version: version };
    expect(await requests.approve(id, forever)).toMatchObject({
      status: 200,
      body: { policy_change: { changed: true, policy_version: 2 } },
    });
    expect((await requests.waitFor(other)).body).toMatchObject({ status: 'approved', resolved_by: null });
  });

  it('is refused when the policy changed after the preview', async () => {
    const policy = await requests.asksFor('race.forever');
    const id = await requests.requested('race.forever');
    const { body } = await admin.get(`/api/v1/approvals/${id}/forever`);
    const { version } = body['policy'] as { version: number };
    await admin.call('PATCH', `/api/v1/policies/${policy}`, { body: { timeout: '2h' } });
    await eventually(async () => ((await show(id, admin))['policy'] as { version: number }).version === 2);
    expect(await requests.approve(id, { scope: 'forever', policy_version: version })).toMatchObject({
      status: 409,
      body: { error: 'POLICY_CHANGED', policy: { version: 2 } },
    });
  });

  it('is who decided, or until when, in the refusal of a decision that comes too late', async () => {
    const lost = await requests.requested('pay.out');
    const fin = await addPerson(admin, { name: 'fin', role: 'member', groups: ['finance'] });
    const joined = await requests.requested('pay.out');
    await requests.deny(joined, { reason: 'no' }, fin.api);
    const later = await addPerson(admin, { name: 'late', role: 'member', groups: ['finance'] });
    expect(await show(lost, later.api)).toMatchObject({ cannot_decide_reason: { code: 'JOINED_LATER' } });
    expect(await requests.approve(joined, {}, fin.api)).toMatchObject({
      status: 409,
      body: {
        error: 'APPROVAL_ALREADY_DECIDED',
        decision: { status: 'denied', resolved_by: fin.id, resolved_by_name: 'fin', reason: 'no' },
      },
    });
    const late = await requests.requested('soon.over');
    await eventually(async () => (await show(late, admin))['status'] === 'timed_out');
    const refused = await requests.approve(late, {}, mia.api);
    expect(refused).toMatchObject({
      status: 409,
      body: {
        error: 'APPROVAL_TIMED_OUT',
        timeout_at: (await show(late, admin))['timeout_at'],
        decision: { status: 'timed_out', resolved_by: null, resolved_by_name: null },
      },
    });
  });

  it('is an overview, by a time zone, with how long requests were on the screen', async () => {
    const overview = await viewer.api.get('/api/v1/overview?range=24h&tz=Europe/Berlin');
    expect(overview).toMatchObject({
      status: 200,
      body: { range: '24h', tz: 'Europe/Berlin', bucket: 'hour', released: 1, timed_out: 1 },
    });
    expect(overview.body['policies']).toContainEqual(
      expect.objectContaining({ name: 'customer mail', votes_seen: 1, median_seen_ms: 2_500 }),
    );
    for (const tz of ['Mars/Olympus', '%2B02:00', ''])
      expect(await admin.get(`/api/v1/overview?tz=${tz}`)).toMatchObject({
        status: 400,
        body: { error: 'VALIDATION_FAILED', errors: [{ pointer: '/query/tz' }] },
      });
    expect((await admin.get('/api/v1/overview?range=7d')).status).toBe(400);
    expect((await agent.get('/api/v1/overview')).status).toBe(403);
  });

  it('is what the policy warns of, also after the warning was changed', async () => {
    const policy = await requests.asksFor('drop.table', { notice: 'Cannot be undone' });
    const id = await requests.requested('drop.table');
    expect(await show(id, mia.api)).toMatchObject({ policy: { notice: 'Cannot be undone' } });
    const change = (notice: unknown) =>
      admin.call('PATCH', `/api/v1/policies/${policy}`, { body: { notice } });
    expect(await change('Ends the shop')).toMatchObject({ status: 200, body: { notice: 'Ends the shop' } });
    await eventually(
      async () => ((await show(id, mia.api))['policy'] as { notice: string }).notice === 'Ends the shop',
    );
    expect((await change(null)).body).not.toHaveProperty('notice');
    for (const wrong of ['', 'x'.repeat(81), 'a\u202eb', 3])
      expect(await change(wrong)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/notice' }] } });
  });

  it('is the entry of each step of a request', async () => {
    const id = await requests.requested('drop.table');
    await requests.deny(id, { reason: 'no' });
    const { history } = (await show(id, viewer.api)) as { history: { event_id: string; type: string }[] };
    expect(history.map(({ type }) => type)).toEqual(['approval.opened', 'approval.denied']);
    for (const { event_id, type } of history)
      await eventually(async () => {
        const { body } = await viewer.api.get(`/api/v1/audit?event_id=${event_id}`);
        const [entry, ...others] = body['events'] as Record<string, unknown>[];
        if (entry !== undefined) expect([entry, ...others]).toMatchObject([{ type, approval_id: id }]);
        return entry;
      });
    expect((await admin.get('/api/v1/audit?event_id=evt_none')).body).toMatchObject({ events: [] });
  });

  it('is what people write again and again when they deny', async () => {
    for (const reason of ['Not today', 'Too late at night', ' not today', 'x'.repeat(81), 'x'.repeat(81)])
      await requests.deny(await requests.requested('drop.table'), { reason });
    const { body } = await mia.api.get('/api/v1/denial-reasons');
    expect(body['reasons']).toContainEqual(expect.stringMatching(/^not today$/i));
    expect(JSON.stringify(body)).not.toMatch(/night|xxx/);
    expect((await viewer.api.get('/api/v1/denial-reasons')).status).toBe(403);
  });

  it('takes how long a request was on the screen within a day', async () => {
    const id = await requests.requested('pay.out');
    for (const seen_ms of [-1, 86_400_001, 1.5, '3'])
      expect(await requests.deny(id, { seen_ms })).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '/seen_ms' }] },
      });
  });
});
