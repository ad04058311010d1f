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
import { approvalsOf } from './kit/approvals.js';

/** The original's page: requests when policies change and when no person decides. */
describe('what the original’s page promises for requests that wait', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  let mails: MailServer;
  let alerting: WebhookReceiver;
  let requests: ReturnType<typeof approvalsOf>;

  beforeAll(async () => {
    [mails, alerting] = await Promise.all([mailServer(), webhookReceiver()]);
    stack = await startStack({ env: { SMTP_URL: mails.url, EGRESS_ALLOW: '127.0.0.0/8' } });
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
    requests = approvalsOf(admin, agent);
  });
  afterAll(async () => {
    await stack.stop();
    await Promise.all([mails.stop(), alerting.stop()]);
  });

  describe('policy changes and pending requests', () => {
    const systemDecision = async (id: string) => {
      expect(await requests.waitFor(id)).toMatchObject({
        status: 200,
        body: { status: 'approved', resolved_by: null },
      });
      const decided = (await requests.trail(id, 'approval.approved')).at(-1);
      expect(decided).toMatchObject({ decision: 'approved', operator: null, resolved_by: null });
      return String(decided?.['note']);
    };
    const patch = (policy: string, body: object) =>
      admin.call('PATCH', `/api/v1/policies/${policy}`, { body });

    it('from require approval to allow: what waits is approved by the system, with a note', async () => {
      const policy = await requests.asksFor('change.allow');
      const ids = await Promise.all([1, 2, 3].map(() => requests.requested('change.allow')));
      expect((await patch(policy, { effect: 'allow' })).status).toBe(200);
      for (const id of ids) expect(await systemDecision(id)).toContain('change.allow');
    });

    it('a policy that is deactivated: the same', async () => {
      const policy = await requests.asksFor('change.off');
      const id = await requests.requested('change.off');
      expect((await patch(policy, { active: false })).status).toBe(200);
      expect(await systemDecision(id)).toMatch(/deactivated/);
    });

    it('a policy whose removal itself says otherwise: denied, or kept', async () => {
      for (const [on_removed, status] of [
        ['deny', 'denied'],
        ['keep', 'pending'],
      ] as const) {
        const policy = await requests.asksFor(`removed.${on_removed}`);
        const id = await requests.requested(`removed.${on_removed}`);
        expect((await patch(policy, { active: false, on_removed })).status).toBe(200);
        // Another request of the same workspace that is released shows that the change was dealt with.
        const marker = await requests.asksFor(`marker.${on_removed}`);
        const released = await requests.requested(`marker.${on_removed}`);
        await patch(marker, { effect: 'allow' });
        await systemDecision(released);
        expect((await requests.statusOf(id)).body).toMatchObject({ status });
      }
    });

    it('a policy that is deleted: the same', async () => {
      const policy = await requests.asksFor('change.gone');
      const id = await requests.requested('change.gone');
      expect((await admin.call('DELETE', `/api/v1/policies/${policy}`)).status).toBe(200);
      expect(await systemDecision(id)).toMatch(/deleted/);
    });

    it('a policy that still requires approval: the request stays pending', async () => {
      const policy = await requests.asksFor('change.nothing');
      const id = await requests.requested('change.nothing');
      expect((await patch(policy, { timeout: '2h' })).status).toBe(200);
      await eventually(async () => {
        const { policy: governing } = (await requests.show(id)) as { policy: { version: number } };
        return governing.version === 2;
      });
      expect((await requests.statusOf(id)).body).toMatchObject({ status: 'pending', resolved_at: null });
    });
  });

  describe('time-outs', () => {
    it('a request that no person acts upon is denied with the reason approval_timeout, and the trail says so', async () => {
      await requests.asksFor('slow.review', { timeout: '1s' });
      const id = await requests.requested('slow.review');
      expect((await requests.waitFor(id)).body).toMatchObject({
        status: 'timed_out',
        reason: 'approval_timeout',
        resolved_by: null,
      });
      expect((await requests.trail(id, 'approval.timed_out')).at(-1)).toMatchObject({
        decision: 'timed_out',
        operator: null,
      });
      expect(await requests.approve(id)).toMatchObject({
        status: 409,
        body: { error: 'APPROVAL_TIMED_OUT' },
      });
    });

    it('an agent that submits and waits in one call gets approval_timeout', async () => {
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
        const { created_at, timeout_at } = (await requests.show(String(answer.body['approval_id']))) as {
          created_at: string;
          timeout_at: string;
        };
        return Date.parse(timeout_at) - Date.parse(created_at);
      };
      await requests.asksFor('takes.default');
      await requests.asksFor('takes.long', { timeout: '8h' });
      expect(await left(await agent.submit('takes.default'))).toBe(30 * 60_000);
      expect(await left(await agent.submit('takes.long'))).toBe(8 * 3_600_000);
    });
  });

  describe('escalation', () => {
    it('a request not acted on within its window is mailed to the contacts before the time-out', async () => {
      await requests.asksFor('off.hours', {
        timeout: '1h',
        escalation: [{ after: '1s', contacts: ['night@example.com'] }],
      });
      const id = await requests.requested('off.hours');
      const { mail } = await eventually(() => mails.mails.find(({ to }) => to.includes('night@example.com')));
      expect(mail.subject).toContain('off.hours');
      expect(mail.text).toContain(`/approvals/${id}`);
      expect((await requests.statusOf(id)).body).toMatchObject({ status: 'escalated', resolved_at: null });
      expect((await requests.trail(id, 'approval.escalated')).at(-1)).toMatchObject({
        decision: 'escalated',
        operator: null,
      });
      expect((await requests.approve(id)).status).toBe(200);
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
      await requests.asksFor('busy.period', {
        timeout: '1h',
        escalation: [{ after: '1s', channels: [channelId] }],
      });
      const id = await requests.requested('busy.period');
      const told = await eventually(() =>
        alerting.verified('/alerts', secret).find(({ event }) => event.subject === id),
      );
      expect(told.event).toMatchObject({
        type: 'approval.escalated',
        data: { action_type: 'busy.period', level: 1 },
      });
    });
  });
});
