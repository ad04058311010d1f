import {
  eventually,
  type MailServer,
  mailServer,
  redisOnPath,
  type Stack,
  startStack,
  type WebhookReceiver,
  webhookReceiver,
} from '@agentlattice/testkit';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { readLog } from './kit/log.js';

interface Delivery {
  readonly id: string;
  readonly channel_id: string | null;
  readonly status: string;
}

/** People are notified before the deadline, through the whole system, also when receivers are away for a time. */
describe('a request that is not decided', () => {
  let stack: Stack;
  let mails: MailServer;
  let receiver: WebhookReceiver;
  let admin: Api;
  let agent: Api;

  beforeAll(async () => {
    [mails, receiver] = await Promise.all([mailServer(), webhookReceiver(), redisOnPath()]);
    stack = await startStack({
      samplePolicy: false,
      env: {
        SMTP_URL: mails.url,
        MAIL_FROM: 'Approvals <approvals@example.com>',
        EGRESS_ALLOW: '127.0.0.0/8',
      },
    });
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
  });
  afterAll(async () => {
    await stack.stop();
    await Promise.all([mails.stop(), receiver.stop()]);
  });
  beforeEach(() => receiver.answer({ status: 200 }));

  async function webhook(path: string, events: string[]) {
    const { status, body, text } = await admin.post('/api/v1/channels', {
      type: 'webhook',
      name: path,
      url: receiver.url + path,
      events,
    });
    if (status !== 201) throw new Error(text);
    return { id: String(body['id']), secret: String(body['secret']) };
  }
  async function asks(action_type: string, policy: Record<string, unknown>): Promise<string> {
    await admin.policy({ name: action_type, action_type, effect: 'require_approval', ...policy });
    return eventually(async () => {
      const { body } = await agent.submit(action_type);
      return body['verdict'] === 'pending_approval' && String(body['approval_id']);
    });
  }
  const deliveriesOf = async (approvalId: string) => {
    const { body } = await admin.get(`/api/v1/deliveries?approval_id=${approvalId}`);
    return (body['deliveries'] as Delivery[]).reverse();
  };
  const statusOf = async (approvalId: string) =>
    String((await agent.get(`/api/v1/approvals/${approvalId}/status`)).body['status']);

  it('is delivered to the people and the channel of its policy before the time-out, and so is its outcome', async () => {
    const { id, secret } = await webhook('/on-call', ['approval.requested', 'approval.timed_out']);
    const escalation = [{ after: '1s', contacts: ['oncall@example.com'], channels: [id] }];
    const approvalId = await asks('delete.table', { timeout: '6s', escalation });
    const told = () =>
      receiver.verified('/on-call', secret).filter(({ event }) => event.subject === approvalId);
    await eventually(() => told().some(({ event }) => event.type === 'approval.escalated'));
    const mail = await eventually(() => mails.mails.find(({ to }) => to.includes('oncall@example.com')));
    expect(await statusOf(approvalId)).toBe('escalated');
    expect(mail.mail.from?.text).toBe('"Approvals" <approvals@example.com>');
    expect(mail.mail.text).toContain(`${stack.baseUrl}/approvals/${approvalId}`);
    await eventually(async () => (await statusOf(approvalId)) === 'timed_out', { within: 60_000 });
    await eventually(() => told().length === 3);
    expect(told().map(({ event }) => event.type)).toEqual([
      'approval.requested',
      'approval.escalated',
      'approval.timed_out',
    ]);
    const entries = await eventually(async () => {
      const own = (await readLog(admin)).filter(({ approval_id }) => approval_id === approvalId);
      return own.some(({ type }) => type === 'approval.timed_out') && own;
    });
    expect(entries.map(({ type, decision }) => [type, decision])).toEqual([
      ['action.requested', 'requested'],
      ['approval.opened', null],
      ['approval.escalated', 'escalated'],
      ['approval.timed_out', 'timed_out'],
    ]);
  });

  it('escalates although the service and its timers died in between', async () => {
    const escalation = [{ after: '3s', contacts: ['night@example.com'] }];
    const approvalId = await asks('delete.bucket', { timeout: '10m', escalation });
    if (stack.redisUrl !== undefined) stack.kill('redis');
    stack.kill('approval-service');
    await stack.ready('approval-service');
    await eventually(() => mails.mails.some(({ to }) => to.includes('night@example.com')), {
      within: 60_000,
    });
    const { body } = await admin.get(`/api/v1/approvals/${approvalId}`);
    expect(body).toMatchObject({ status: 'escalated', escalation_level: 1 });
  });

  it('is delivered although the notifier was killed during an attempt', async () => {
    const { id, secret } = await webhook('/flaky', ['approval.requested']);
    const deliveryOf = async (approvalId: string) =>
      (await deliveriesOf(approvalId)).find(({ channel_id }) => channel_id === id);
    receiver.answer('silence');
    const approvalId = await asks('delete.cluster', { timeout: '10m' });
    await eventually(() =>
      receiver.got.some(({ event, path }) => event.subject === approvalId && path === '/flaky'),
    );
    stack.kill('notifier');
    receiver.answer({ status: 200 });
    await stack.ready('notifier');
    await eventually(async () => (await deliveryOf(approvalId))?.status === 'delivered', {
      within: 90_000,
    });
    const ids = receiver
      .verified('/flaky', secret)
      .filter(({ event }) => event.subject === approvalId)
      .map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids)).toEqual(new Set([(await deliveryOf(approvalId))?.id]));
    expect(ids.length).toBeGreaterThanOrEqual(2);
  });

  it('leaves the changes of channels in the log, without addresses', async () => {
    const { id } = await webhook('/logged', ['approval.requested']);
    await admin.call('PATCH', `/api/v1/channels/${id}`, { body: { name: 'renamed' } });
    await admin.post(`/api/v1/channels/${id}/rotate-secret`, { overlap: '1h' });
    receiver.answer(({ path }) => ({ status: path === '/logged' ? 410 : 200 }));
    const approvalId = await asks('delete.index', { timeout: '10m' });
    await eventually(async () => (await deliveriesOf(approvalId)).some(({ status }) => status === 'dead'));
    const channel = await eventually(async () => {
      const { body } = await admin.get(`/api/v1/channels/${id}`);
      return body['enabled'] === false && body;
    });
    expect(channel['disabled_reason']).toBe('gone');
    await admin.call('DELETE', `/api/v1/channels/${id}`);
    const log = await eventually(async () => {
      const entries = (await readLog(admin)).filter(({ source }) => source === 'notifier');
      return entries.some(({ type }) => type === 'channel.deleted') && entries;
    });
    const types = log.map(({ type }) => type);
    for (const type of [
      'channel.created',
      'channel.updated',
      'channel.secret_rotated',
      'delivery.dead',
      'endpoint.disabled',
    ])
      expect(types).toContain(type);
    expect(log.map(({ source_seq }) => source_seq)).toEqual(log.map((_, i) => i + 1));
    expect(log.find(({ type }) => type === 'channel.created')?.operator).toMatchObject({ via: 'api' });
    expect(log.find(({ type }) => type === 'endpoint.disabled')?.operator).toBeNull();
    expect(JSON.stringify(log)).not.toContain('127.0.0.1');
    expect((await admin.get('/api/v1/audit/verify')).body).toMatchObject({ chain_valid: true });
  });

  it('is tested by an administrator, who sees the request and the answer', async () => {
    const { id, secret } = await webhook('/tried', []);
    const { status, body } = await admin.post(`/api/v1/channels/${id}/test`, {});
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { outcome: 'delivered', request: { target: `${receiver.url}/tried` }, answer: { status: 200 } },
    });
    expect(receiver.verified('/tried', secret)).toHaveLength(1);
    for (const wrong of [
      { type: 'webhook', name: 'x', events: [], url: 'ftp://example.com' },
      { type: 'webhook', name: 'x', events: [], url: 'https://user:secret@example.com' },
      { type: 'webhook', name: 'x', events: ['approval.decided'], url: 'https://example.com' },
      { type: 'webhook', name: 'x', events: [], url: 'https://example.com', to: ['a@example.com'] },
      { type: 'email', name: 'x', events: [], to: ['a@example.com\r\nBcc: b@example.com'] },
      { type: 'email', name: 'x', events: [], to: [] },
    ])
      expect((await admin.post('/api/v1/channels', wrong)).body).toMatchObject({
        error: 'VALIDATION_FAILED',
      });
  });
});
