import { leafHash } from '@agentlattice/ledger';
import {
  eventually,
  type MailServer,
  mailServer,
  type Stack,
  startStack,
  type WebhookReceiver,
  webhookReceiver,
} from '@agentlattice/testkit';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';
import { readLog } from './kit/log.js';
import { addPerson, type Person } from './kit/people.js';

/**
 * The page this product re-creates, sentence by sentence: each that needs no dashboard, SDK or console is a test with
 * its gist as the name. (What the published client does stands in published-client, the console's in libs/cli.)
 */
describe('what the original’s page promises', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  let member: Person;
  let viewer: Person;
  let mails: MailServer;
  let alerting: WebhookReceiver;

  beforeAll(async () => {
    [mails, alerting] = await Promise.all([mailServer(), webhookReceiver()]);
    stack = await startStack({ env: { SMTP_URL: mails.url, EGRESS_ALLOW: '127.0.0.0/8' } });
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
    member = await addPerson(admin, { name: 'mia', role: 'member' });
    viewer = await addPerson(admin, { name: 'vic', role: 'viewer' });
    await admin.policy({ name: 'staging', action_type: 'deploy.staging', effect: 'allow' });
    await admin.policy({
      name: 'big deploys',
      action_type: 'deploy.batch',
      effect: 'conditional',
      conditions: [{ field: 'change_count', operator: 'lte', value: 10 }],
    });
  });
  afterAll(async () => {
    await stack.stop();
    await Promise.all([mails.stop(), alerting.stop()]);
  });

  const asksFor = (actionType: string, more: Record<string, unknown> = {}) =>
    admin.policy({ name: actionType, action_type: actionType, effect: 'require_approval', ...more });
  /** Submits an action that needs a person. */
  async function requested(actionType: string, metadata: Record<string, unknown> = {}): Promise<string> {
    const { status, body, text } = await agent.submit(actionType, metadata);
    if (status !== 202) throw new Error(text);
    return String(body['approval_id']);
  }
  const queue = async () => {
    const { body } = await admin.get('/api/v1/approvals?status=pending&limit=200');
    return (body['approvals'] as { id: string }[]).map(({ id }) => id);
  };
  const statusOf = (id: string) => agent.get(`/api/approvals/${id}/status`);
  const show = async (id: string) => (await admin.get(`/api/v1/approvals/${id}`)).body;
  const approve = (id: string, body: object = {}, by: Api = admin) =>
    by.post(`/api/v1/approvals/${id}/approve`, body);
  const deny = (id: string, body: object = {}, by: Api = admin) =>
    by.post(`/api/v1/approvals/${id}/deny`, body);
  const waitFor = (id: string) =>
    agent.call('GET', `/api/v1/approvals/${id}/status`, { headers: { prefer: 'wait=60' } });
  /** The audit events of a request as soon as one of this type is there, oldest first. */
  const trail = (id: string, type: string) =>
    eventually(async () => {
      const { body } = await admin.get(`/api/v1/audit?approval_id=${id}&limit=200`);
      const events = (body['events'] as Record<string, unknown>[]).toReversed();
      return events.some((event) => event['type'] === type) ? events : undefined;
    });

  describe('how approvals work', () => {
    it('an action that requires approval is paused until a person decides; low-risk ones are not held up', async () => {
      const id = await requested('deploy.production');
      expect((await statusOf(id)).body).toMatchObject({ status: 'pending', resolved_at: null });
      expect((await agent.submit('deploy.staging')).body).toMatchObject({ status: 'executed' });
      await approve(id);
      expect((await statusOf(id)).body).toMatchObject({ status: 'approved' });
    });

    it('require approval: every action of the type waits, unconditionally', async () => {
      for (const metadata of [{}, { size: 0 }, { size: 10_000, approved: true }])
        expect(await agent.submit('deploy.production', metadata)).toMatchObject({ status: 202 });
    });

    it('conditional: it executes when the conditions pass and asks when they fail', async () => {
      expect(await agent.submit('deploy.batch', { change_count: 3 })).toMatchObject({
        status: 200,
        body: { status: 'executed' },
      });
      expect(await agent.submit('deploy.batch', { change_count: 30 })).toMatchObject({
        status: 202,
        body: {
          status: 'requested',
          conditions_evaluated: [{ field: 'change_count', operator: 'lte', expected: 10, result: false }],
        },
      });
    });

    it('the agent hears at once that approval is required, with an approval id', async () => {
      expect(await agent.submit('deploy.production', { service: 'api', version: '2.1.0' })).toMatchObject({
        status: 202,
        body: {
          status: 'requested',
          verdict: 'pending_approval',
          approval_id: expect.stringMatching(/^apr_/) as string,
        },
      });
    });

    it('an operator approves or denies; the reason is optional', async () => {
      const [a, b, c] = await Promise.all([1, 2, 3].map(() => requested('deploy.production')));
      expect(await approve(String(a))).toMatchObject({
        status: 200,
        body: { status: 'approved', reason: null },
      });
      expect(await approve(String(b), { reason: 'looks safe' })).toMatchObject({
        body: { status: 'approved', reason: 'looks safe' },
      });
      expect(await deny(String(c), { reason: 'window closed' })).toMatchObject({
        status: 200,
        body: { status: 'denied', denial_reason: 'DENIED_BY_REVIEWER', reason: 'window closed' },
      });
    });

    it('the agent is notified of the decision: the call that waits unblocks by itself', async () => {
      const eventId = `wait-${String(Date.now())}`;
      const held = agent.call('POST', '/api/v1/actions', {
        body: { action_type: 'deploy.production', metadata: { held: true } },
        headers: { prefer: 'wait=60', 'x-al-event-id': eventId },
      });
      const id = await eventually(async () => {
        const { body } = await admin.get('/api/v1/approvals?status=pending&limit=200');
        const open = body['approvals'] as { id: string; metadata: { held?: boolean } }[];
        return open.find(({ metadata }) => metadata.held)?.id;
      });
      await approve(id);
      expect(await held).toMatchObject({
        status: 200,
        body: { status: 'executed', approval_id: id, grant: expect.any(String) as string },
      });
    });

    it('every step is in the audit trail: who approved, when, and why', async () => {
      const id = await requested('deploy.production', { service: 'api' });
      await approve(id, { reason: 'Reviewed deployment manifest' }, member.api);
      const events = await trail(id, 'approval.approved');
      expect(events.map(({ type }) => type)).toEqual([
        'action.requested',
        'approval.opened',
        'approval.approved',
      ]);
      expect(events.at(-1)).toMatchObject({
        operator: { id: member.id, via: 'api' },
        resolved_by: member.id,
        reason: 'Reviewed deployment manifest',
        timestamp: expect.stringMatching(/Z$/) as string,
      });
    });
  });

  describe('reviewing pending requests', () => {
    it('each shows agent, action type, policy, creation time and time left', async () => {
      const id = await requested('deploy.production', { service: 'billing', version: '3.0.1' });
      const { body } = await admin.get('/api/v1/approvals?status=pending&action_type=deploy.production');
      expect(body['approvals']).toContainEqual(
        expect.objectContaining({
          id,
          agent: { id: stack.credentials.agent.id, name: stack.credentials.agent.name },
          action_type: 'deploy.production',
          policy_name: 'production-deploys',
          created_at: expect.any(String) as string,
          time_left_seconds: expect.any(Number) as number,
          metadata: { service: 'billing', version: '3.0.1' },
        }),
      );
      const { time_left_seconds: left } = (await show(id)) as { time_left_seconds: number };
      expect(left).toBeGreaterThan(29 * 60);
      expect(left).toBeLessThanOrEqual(30 * 60);
    });

    it('approve once: this request goes through, the next one of its type asks again', async () => {
      await asksFor('once.only');
      const id = await requested('once.only');
      expect((await approve(id, { scope: 'once' })).status).toBe(200);
      expect((await statusOf(id)).body).toMatchObject({ status: 'approved' });
      expect((await agent.submit('once.only')).status).toBe(202);
    });

    it('approve forever: the request goes through and the policy asks no more; it needs an administrator', async () => {
      const policy = await asksFor('ever.more');
      const id = await requested('ever.more');
      expect(await approve(id, { scope: 'forever' }, member.api)).toMatchObject({
        status: 403,
        body: { error: 'FORBIDDEN' },
      });
      expect((await statusOf(id)).body).toMatchObject({ status: 'pending' });
      expect(await approve(id, { scope: 'forever', reason: 'always fine' })).toMatchObject({
        status: 200,
        body: { status: 'approved', policy_change: { changed: true, policy_id: policy, policy_version: 2 } },
      });
      expect((await admin.get(`/api/v1/policies/${policy}`)).body).toMatchObject({ effect: 'allow' });
      await eventually(async () => (await agent.submit('ever.more')).body['status'] === 'executed');
    });

    it('deny: the agent gets a structured denial', async () => {
      const id = await requested('deploy.production');
      await deny(id, { reason: 'Deployment window closed' }, member.api);
      expect((await statusOf(id)).body).toMatchObject({
        status: 'denied',
        denial_reason: 'DENIED_BY_REVIEWER',
        reason: 'Deployment window closed',
        resolved_by: member.id,
        resolved_at: expect.any(String) as string,
      });
    });

    it('members and administrators decide; viewers see the queue and cannot act', async () => {
      const [first, second] = await Promise.all([
        requested('deploy.production'),
        requested('deploy.production'),
      ]);
      const seen = await viewer.api.get('/api/v1/approvals?status=pending&limit=200');
      expect(seen.text).toContain(first);
      for (const decide of [approve, deny])
        expect(await decide(first, {}, viewer.api)).toMatchObject({
          status: 403,
          body: { error: 'FORBIDDEN' },
        });
      expect((await statusOf(first)).body).toMatchObject({ status: 'pending' });
      expect((await approve(first, {}, member.api)).status).toBe(200);
      expect((await approve(second, {}, admin)).status).toBe(200);
    });
  });

  describe('policy changes and pending requests', () => {
    const systemDecision = async (id: string) => {
      expect(await waitFor(id)).toMatchObject({
        status: 200,
        body: { status: 'approved', resolved_by: null },
      });
      const decided = (await trail(id, 'approval.approved')).at(-1);
      expect(decided).toMatchObject({ decision: 'approved', operator: null, resolved_by: null });
      return String(decided?.['note']);
    };
    const patch = (policy: string, body: object) =>
      admin.call('PATCH', `/api/v1/policies/${policy}`, { body });

    it('from require approval to allow: what waits is approved by the system, with a note', async () => {
      const policy = await asksFor('change.allow');
      const ids = await Promise.all([1, 2, 3].map(() => requested('change.allow')));
      expect((await patch(policy, { effect: 'allow' })).status).toBe(200);
      for (const id of ids) expect(await systemDecision(id)).toContain('change.allow');
    });

    it('a policy that is deactivated: the same', async () => {
      const policy = await asksFor('change.off');
      const id = await requested('change.off');
      expect((await patch(policy, { active: false })).status).toBe(200);
      expect(await systemDecision(id)).toMatch(/deactivated/);
    });

    it('a policy that is deleted: the same', async () => {
      const policy = await asksFor('change.gone');
      const id = await requested('change.gone');
      expect((await admin.call('DELETE', `/api/v1/policies/${policy}`)).status).toBe(200);
      expect(await systemDecision(id)).toMatch(/deleted/);
    });

    it('a policy that still requires approval: the request stays pending', async () => {
      const policy = await asksFor('change.nothing');
      const id = await requested('change.nothing');
      expect((await patch(policy, { timeout: '2h' })).status).toBe(200);
      await eventually(async () => {
        const { policy: governing } = (await show(id)) as { policy: { version: number } };
        return governing.version === 2;
      });
      expect((await statusOf(id)).body).toMatchObject({ status: 'pending', resolved_at: null });
    });
  });

  describe('time-outs', () => {
    it('a request that nobody acts upon is denied with the reason approval_timeout, and the trail says so', async () => {
      await asksFor('slow.review', { timeout: '1s' });
      const id = await requested('slow.review');
      expect((await waitFor(id)).body).toMatchObject({
        status: 'timed_out',
        reason: 'approval_timeout',
        resolved_by: null,
      });
      expect((await trail(id, 'approval.timed_out')).at(-1)).toMatchObject({
        decision: 'timed_out',
        operator: null,
      });
      expect(await approve(id)).toMatchObject({ status: 409, body: { error: 'APPROVAL_TIMED_OUT' } });
    });

    it('submitted and waited for in one call, the agent hears approval_timeout', async () => {
      const held = await agent.call('POST', '/api/v1/actions', {
        body: { action_type: 'slow.review' },
        headers: { prefer: 'wait=60' },
      });
      expect(held).toMatchObject({
        status: 200,
        body: { status: 'denied', verdict: 'denied', denial_reason: 'approval_timeout' },
      });
    });

    it('the default is 30 minutes, and each policy may say otherwise', async () => {
      const left = async (answer: Answer) => {
        const { created_at, timeout_at } = (await show(String(answer.body['approval_id']))) as {
          created_at: string;
          timeout_at: string;
        };
        return Date.parse(timeout_at) - Date.parse(created_at);
      };
      await asksFor('takes.default');
      await asksFor('takes.long', { timeout: '8h' });
      expect(await left(await agent.submit('takes.default'))).toBe(30 * 60_000);
      expect(await left(await agent.submit('takes.long'))).toBe(8 * 3_600_000);
    });
  });

  describe('escalation', () => {
    it('a request not acted on within its window is mailed to the contacts before the time-out', async () => {
      await asksFor('off.hours', {
        timeout: '1h',
        escalation: [{ after: '1s', contacts: ['night@example.com'] }],
      });
      const id = await requested('off.hours');
      const { mail } = await eventually(() => mails.mails.find(({ to }) => to.includes('night@example.com')));
      expect(mail.subject).toContain('off.hours');
      expect(mail.text).toContain(`/approvals/${id}`);
      expect((await statusOf(id)).body).toMatchObject({ status: 'escalated', resolved_at: null });
      expect((await trail(id, 'approval.escalated')).at(-1)).toMatchObject({
        decision: 'escalated',
        operator: null,
      });
      expect((await approve(id)).status).toBe(200);
    });

    it('and delivered to the alerting system by webhook', async () => {
      const channel = await admin.post('/api/v1/channels', {
        name: 'alerting',
        type: 'webhook',
        url: `${alerting.url}/alerts`,
        events: [],
      });
      expect(channel.status).toBe(201);
      const { id: channelId, secret } = channel.body as { id: string; secret: string };
      await asksFor('busy.period', { timeout: '1h', escalation: [{ after: '1s', channels: [channelId] }] });
      const id = await requested('busy.period');
      const told = await eventually(() =>
        alerting.verified('/alerts', secret).find(({ event }) => event.subject === id),
      );
      expect(told.event).toMatchObject({
        type: 'approval.escalated',
        data: { action_type: 'busy.period', level: 1 },
      });
    });
  });

  describe('the audit trail', () => {
    it.each(['approved', 'denied', 'timed_out'])(
      'of a request that was %s holds action, agent, operator, decision, reasoning, time and policy',
      async (decision) => {
        await asksFor(`trail.${decision}`, decision === 'timed_out' ? { timeout: '1s' } : {});
        const id = await requested(`trail.${decision}`);
        if (decision === 'approved') await approve(id, { reason: 'why' }, member.api);
        if (decision === 'denied') await deny(id, { reason: 'why' }, member.api);
        const byPerson = decision !== 'timed_out';
        expect((await trail(id, `approval.${decision}`)).at(-1)).toMatchObject({
          action_type: `trail.${decision}`,
          agent: { id: stack.credentials.agent.id, name: stack.credentials.agent.name },
          operator: byPerson ? { id: member.id } : null,
          decision,
          reason: byPerson ? 'why' : null,
          timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
          policy: { name: `trail.${decision}`, version: 1 },
        });
      },
    );

    it('each event holds the hash of the one before, and the whole history can be verified', async () => {
      const entries = await readLog(admin);
      const { text } = await admin.get('/api/v1/audit/entries');
      const lines = text.trimEnd().split('\n');
      expect(entries.length).toBeGreaterThan(10);
      for (const [i, line] of lines.slice(0, -1).entries())
        expect(entries[i + 1]?.prev_hash).toBe(leafHash(Buffer.from(line)).toString('hex'));
      expect((await admin.get('/api/v1/audit/verify?wait=true')).body).toMatchObject({ chain_valid: true });
    });
  });

  describe('asking beforehand', () => {
    it('a dry run tells what would happen and leaves no trace', async () => {
      const before = (await readLog(admin)).length;
      const pending = await queue();
      const check = (type: string) => agent.get(`/api/v1/policies/check?action_type=${type}`);
      expect((await check('deploy.staging')).body).toMatchObject({ allowed: true, needs_approval: false });
      expect((await check('deploy.production')).body).toMatchObject({
        allowed: false,
        needs_approval: true,
        policy_name: 'production-deploys',
      });
      expect(await queue()).toEqual(pending);
      expect(await readLog(admin)).toHaveLength(before);
    });

    it('a pipeline can fail fast where a policy denies outright', async () => {
      await admin.policy({ name: 'never', action_type: 'drop.database', effect: 'deny' });
      await eventually(async () => {
        const { body } = await agent.get('/api/v1/policies/check?action_type=drop.database');
        return (
          body['allowed'] === false && body['needs_approval'] === false && body['policy_name'] === 'never'
        );
      });
    });
  });
});
