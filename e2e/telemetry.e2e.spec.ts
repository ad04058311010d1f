import {
  type Instrument,
  instruments,
  instrumentsOfTheSdk,
  type LabelRule,
} from '@agentlattice/observability';
import {
  eventually,
  type Stack,
  startStack,
  type WebhookReceiver,
  webhookReceiver,
} from '@agentlattice/testkit';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { type OtlpReceiver, otlpReceiver } from './kit/otlp-receiver.js';

const traceOf = (digit: string) => digit.repeat(32);
const parent = 'aaaaaaaaaaaaaaaa';
const traced = (digit: string) => ({ traceparent: `00-${traceOf(digit)}-${parent}-01` });

describe('telemetry of one action', () => {
  let stack: Stack;
  let otlp: OtlpReceiver;
  let receiver: WebhookReceiver;
  let admin: Api;
  let agent: Api;
  beforeAll(async () => {
    [otlp, receiver] = await Promise.all([otlpReceiver(), webhookReceiver()]);
    stack = await startStack({ samplePolicy: false, env: { ...otlp.env, EGRESS_ALLOW: '127.0.0.0/8' } });
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
    const events = ['approval.requested', 'approval.approved', 'approval.timed_out'];
    const channel = { type: 'webhook', name: 'hook', url: `${receiver.url}/hook`, events };
    expect((await admin.post('/api/v1/channels', channel)).status).toBe(201);
    await admin.policy({ name: 'asks', action_type: 'ask.me', effect: 'require_approval' });
    await admin.policy({
      ...{ name: 'soon', action_type: 'ask.soon', effect: 'require_approval', timeout: '2s' },
      escalation: [{ after: '1s', contacts: [], channels: [] }],
    });
    await admin.policy({ name: 'lets', action_type: 'let.me', effect: 'allow' });
  });
  afterAll(async () => {
    await stack.stop();
    await Promise.all([otlp.stop(), receiver.stop()]);
  });

  const submit = (actionType: string, headers: Record<string, string>) =>
    agent.post('/api/v1/actions', { action_type: actionType, metadata: {} }, headers);
  const spansOf = (digit: string) => otlp.spans.filter(({ traceId }) => traceId === traceOf(digit));
  /** Each span of a trace below its parent, as `<service>: <span>`. */
  const treeOf = (digit: string) => {
    const spans = spansOf(digit);
    const nameOf = new Map(spans.map(({ spanId, service, name }) => [spanId, `${service}: ${name}`]));
    const lines = spans.map(({ service, name, parentSpanId }) => {
      const above = parentSpanId === parent ? 'the caller' : (nameOf.get(parentSpanId) ?? 'nothing known');
      return `${above} > ${service}: ${name}`;
    });
    // Whether a held caller's state is read again depends on which of two messages wakes it.
    const isOfTheWait = (line: string) => line.endsWith('.approval_status');
    return [...new Set(lines)].filter((line) => !isOfTheWait(line)).sort();
  };
  const becomes = async (digit: string, expected: readonly string[]) => {
    const wanted = [...expected].sort();
    await eventually(() => wanted.every((line) => treeOf(digit).includes(line))).catch(() => {});
    expect(treeOf(digit)).toEqual(wanted);
  };
  /** Everything that opening a request does, below the span of the submission. */
  const opening = (above: string) => [
    `the caller > ${above}`,
    `${above} > policy-engine: judge action`,
    `${above} > audit-ledger: append entry`,
    `${above} > approval-service: open approval`,
    `${above} > audit-ledger: publish action.requested`,
    `${above} > approval-service: process action.requested`,
    `${above} > approval-service: publish approval.opened`,
    `${above} > notifier: process approval.opened`,
    `${above} > notifier: deliver`,
  ];
  const submission = 'gateway: POST /api/v1/actions';

  it('is one trace from the request to the webhook, the decision’s is linked to it, and no span is open in between', async () => {
    const held = submit('ask.me', { ...traced('1'), prefer: 'wait=30' });
    // Exported, so it has ended although its caller is not answered yet.
    const request = await eventually(() => spansOf('1').find(({ name }) => name === 'POST /api/v1/actions'));
    expect(request.attributes).toMatchObject({
      'http.route': '/api/v1/actions',
      'agentlattice.wait': 'true',
    });
    await eventually(() => otlp.points('agentlattice.waiters').some(({ value }) => value === 1));
    await eventually(() =>
      otlp
        .points('agentlattice.approval.pending')
        .some(
          ({ value, labels }) => value === 1 && labels['status'] === 'pending' && labels['quorum'] === 'one',
        ),
    );
    const { body } = await admin.get('/api/v1/approvals?status=pending');
    const id = (body['approvals'] as { id: string }[]).map((one) => one.id).join();
    const decidedAt = Date.now() * 1e6;
    expect((await admin.post(`/api/v1/approvals/${id}/approve`, {}, traced('2'))).status).toBe(200);
    expect((await held).body).toMatchObject({ verdict: 'executed' });

    const decision = 'gateway: POST /api/v1/approvals/:approval_id/approve';
    const deciding = 'approval-service: cmd.approval-service.approve';
    await becomes('2', [
      `the caller > ${decision}`,
      `${decision} > ${deciding}`,
      `${decision} > audit-ledger: append entry`,
      `${decision} > approval-service: publish approval.approved`,
      `${decision} > notifier: process approval.approved`,
      `${decision} > notifier: deliver`,
    ]);
    await becomes('1', opening(submission));
    const open = spansOf('1').filter(
      ({ startedAt, endedAt }) => startedAt < decidedAt && endedAt > decidedAt,
    );
    expect(open).toEqual([]);
    const linked = spansOf('2').flatMap(({ name, links }) => links.map((link) => ({ name, ...link })));
    expect(linked).toMatchObject([
      { name: 'cmd.approval-service.approve', traceId: traceOf('1'), spanId: request.spanId },
    ]);
  });

  it('contains the jobs of a request that nobody decides', async () => {
    expect((await submit('ask.soon', traced('3'))).status).toBe(202);
    const [escalating, ending] = [
      'approval-service: approval escalation',
      'approval-service: approval deadline',
    ];
    await becomes('3', [
      ...opening(submission),
      `${submission} > ${escalating}`,
      `${submission} > approval-service: publish approval.escalated`,
      `${submission} > notifier: process approval.escalated`,
      `${submission} > ${ending}`,
      `${submission} > approval-service: publish approval.timed_out`,
      `${submission} > notifier: process approval.timed_out`,
    ]);
  });

  it('is counted by instruments of the table alone, with labels that it allows', async () => {
    const has = (name: string, value: number, labels: Record<string, unknown>) =>
      eventually(() =>
        otlp
          .points(name)
          .some(
            (one) =>
              one.value >= value && Object.entries(labels).every(([key, is]) => one.labels[key] === is),
          ),
      );
    await has('agentlattice.action', 2, { verdict: 'pending_approval', denial_reason: 'none' });
    await has('agentlattice.gate.duration', 2, { outcome: 'pending_approval' });
    await has('agentlattice.approval.wait', 1, { outcome: 'approved', via: 'api' });
    await has('agentlattice.approval.wait', 1, { outcome: 'timed_out', via: 'system' });
    await has('agentlattice.unblock.duration', 1, { outcome: 'approved' });
    await has('agentlattice.escalation.fired', 1, {});
    await has('agentlattice.timer.lateness', 1, { timer: 'deadline' });
    await has('agentlattice.timer.lateness', 1, { timer: 'escalation' });
    await has('agentlattice.delivery.duration', 3, { channel: 'webhook', outcome: 'delivered' });
    await has('agentlattice.delivery.wait', 3, { channel: 'webhook' });
    await has('agentlattice.ledger.entries', 2, { source: 'approval-service' });
    await has('agentlattice.ledger.batch.size', 1, {});
    await has('agentlattice.ledger.append.duration', 1, { outcome: 'written' });
    await has('agentlattice.writer.active', 1, {});
    await has('http.server.request.duration', 1, {
      'http.request.method': 'POST',
      'http.route': '/api/v1/actions',
      'http.response.status_code': 200,
      'agentlattice.wait': true,
    });
    await has('messaging.process.duration', 2, {
      'messaging.destination.template': 'cmd.policy-engine.evaluate',
    });

    const table: Readonly<Record<string, Instrument>> = { ...instruments, ...instrumentsOfTheSdk };
    const ofTheSdk = [...otlp.metricNames()].filter((name) => name.startsWith('otel.sdk.'));
    expect(Object.keys(table)).toEqual(
      expect.arrayContaining([...otlp.metricNames()].filter((name) => !ofTheSdk.includes(name))),
    );
    const unrecorded = Object.keys(instruments).filter((name) => !otlp.metricNames().has(name));
    expect(unrecorded).toEqual([]);
    const wrong = Object.entries(table).flatMap(([name, { labels: rules }]) =>
      otlp.points(name).flatMap(({ labels }) =>
        Object.entries(labels)
          .filter(([label, value]) => !isAllowed(rules[label], value))
          .map(([label, value]) => `${name} ${label} ${String(value)}`),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('is not needed: actions are judged and decided while the collector is away', async () => {
    await otlp.stop();
    const answers = await Promise.all(Array.from({ length: 50 }, () => agent.submit('let.me')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await admin.get('/readyz')).status).toBe(200);
  });
});

const isAllowed = (rule: LabelRule | undefined, value: unknown): boolean =>
  rule !== undefined &&
  (rule instanceof RegExp ? rule.test(String(value)) : rule.some((one) => one === value));
