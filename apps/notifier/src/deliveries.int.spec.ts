import { notifierCommands as commands, type Refused } from '@agentlattice/contracts';
import {
  eventually,
  type MailServer,
  mailServer,
  type WebhookReceiver,
  webhookReceiver,
} from '@agentlattice/testkit';
import { ApprovalFacts } from '../test/approval-facts.js';
import { actor, newId, notifierHarness, type NotifierHarness } from '../test/notifier-harness.js';

let harness: NotifierHarness;
let receiver: WebhookReceiver;
let post: MailServer;
beforeAll(async () => {
  [receiver, post] = await Promise.all([webhookReceiver(), mailServer()]);
  harness = await notifierHarness({ SMTP_URL: post.url });
});
afterAll(async () => {
  await harness.stop();
  await Promise.all([receiver.stop(), post.stop()]);
});
beforeEach(() => receiver.answer({ status: 200 }));

const emit = (...facts: ReturnType<ApprovalFacts['opened']>[]) =>
  harness.source('approval-service').emit(...facts);
const statusesOf = async (facts: ApprovalFacts) =>
  (await harness.deliveries(facts.org_id, facts)).map(({ event_type, status }) => [event_type, status]);
const pathOf = (facts: ApprovalFacts) => `/${facts.org_id}`;
const hookOf = (facts: ApprovalFacts, events: Parameters<NotifierHarness['webhook']>[2]) =>
  harness.webhook(facts.org_id, receiver.url + pathOf(facts), events);
/** Makes all later deliveries due now. */
const timePasses = ({ org_id }: ApprovalFacts) =>
  harness.pool.query(
    `UPDATE delivery SET due_at = clock_timestamp() WHERE org_id = $1 AND status = 'pending' AND claim IS NULL`,
    [org_id],
  );
const arrived = (facts: ApprovalFacts) => receiver.got.filter(({ path }) => path === pathOf(facts));
const every = ['approval.requested', 'approval.escalated', 'approval.timed_out'] as const;

describe('an escalation', () => {
  it('reaches its contacts by mail and its channel by a signed CloudEvent, before the time-out', async () => {
    const facts = new ApprovalFacts(newId('org'));
    const { id, secret } = await hookOf(facts, []);
    const address = `oncall@${facts.approval_id.slice(4)}.example`;
    const [event] = await emit(facts.escalated({ channels: [id], contacts: [address] }));
    const [mail, hook] = await eventually(() => {
      const found = post.mails.find(({ to }) => to.includes(address));
      const [received] = receiver.verified(pathOf(facts), secret);
      return found !== undefined && received !== undefined && ([found, received] as const);
    });
    expect(hook.headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'webhook-id': expect.stringMatching(/^dlv_[0-9a-z]{26}$/),
    });
    expect(hook.event).toMatchObject({
      specversion: '1.0',
      id: event?.event_id,
      type: 'approval.escalated',
      subject: facts.approval_id,
      datacontenttype: 'application/json',
      data: { org_id: facts.org_id, level: 1, agent: { name: 'deploy-bot' } },
    });
    expect(hook.body).not.toContain(address);
    expect(mail.mail.subject).toBe('Escalated: approval still needed: deploy.production');
    expect(mail.mail.from?.text).toBe('"AgentLattice Approvals" <approvals@approvals.example.com>');
    for (const body of [mail.mail.text ?? '', mail.mail.html || '']) {
      expect(body).toContain(`https://approvals.example.com/approvals/${facts.approval_id}`);
      expect(body).toContain('Written by the agent');
    }
    await eventually(async () => (await statusesOf(facts)).every(([, status]) => status === 'delivered'));
    const made = await harness.deliveries(facts.org_id, facts);
    expect(made.map(({ type, recipient, attempts_made }) => [type, recipient, attempts_made])).toEqual([
      ['webhook', null, 1],
      ['email', address, 1],
    ]);
  });

  it('is delivered once, although its event comes twice', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await hookOf(facts, ['approval.escalated']);
    const events = await emit(facts.escalated());
    await harness.source('approval-service').publish(...events, ...events);
    await eventually(() => arrived(facts).length > 0);
    const [later] = await emit(facts.timedOut());
    await eventually(async () => {
      const { rows } = await harness.pool.query('SELECT FROM outgoing_event WHERE event_id = $1', [
        later?.event_id,
      ]);
      return rows.length === 1;
    });
    expect(await harness.deliveries(facts.org_id)).toHaveLength(1);
    expect(arrived(facts)).toHaveLength(1);
  });
});

describe('a receiver that is down', () => {
  it('gets all deliveries in order once it is back, each under its own id', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await hookOf(facts, [...every]);
    receiver.answer('hang up');
    await emit(facts.opened());
    await eventually(async () => (await harness.deliveries(facts.org_id))[0]?.attempts_made === 1);
    await emit(facts.escalated());
    await timePasses(facts);
    await eventually(async () => ((await harness.deliveries(facts.org_id))[0]?.attempts_made ?? 0) >= 2);
    // The later delivery waits for the earlier one, which was not refused.
    expect((await harness.deliveries(facts.org_id))[1]).toMatchObject({
      status: 'pending',
      attempts_made: 0,
    });
    const missed = arrived(facts).length;
    receiver.answer({ status: 204 });
    await timePasses(facts);
    await eventually(async () => (await statusesOf(facts)).every(([, status]) => status === 'delivered'));
    const after = arrived(facts).slice(missed);
    expect(after.map(({ event }) => event.type)).toEqual(['approval.requested', 'approval.escalated']);
    const ids = arrived(facts).map(({ event, headers }) => `${event.type} ${String(headers['webhook-id'])}`);
    expect(new Set(ids).size).toBe(2);
    const [first] = await harness.deliveries(facts.org_id);
    expect(first?.attempts.at(-1)).toMatchObject({ number: 1, status: null, error: expect.any(String) });
    expect(first?.attempts[0]).toMatchObject({ status: 204, error: null });
  });

  it('gets no superseded deliveries', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await hookOf(facts, [...every]);
    receiver.answer('hang up');
    await emit(facts.opened(), facts.escalated());
    await eventually(async () => ((await harness.deliveries(facts.org_id))[0]?.attempts_made ?? 0) > 0);
    receiver.answer({ status: 200 });
    await emit(facts.timedOut());
    await eventually(async () => (await statusesOf(facts)).at(-1)?.[1] === 'delivered');
    const statuses = await statusesOf(facts);
    // A delivery that was under way may still have arrived; none is pending, and the end came last.
    expect(statuses.map(([type]) => type)).toEqual([...every]);
    for (const [, status] of statuses.slice(0, 2)) expect(status).toMatch(/^(superseded|delivered)$/);
    expect(arrived(facts).at(-1)?.event.type).toBe('approval.timed_out');
  });

  it('does not delay other receivers', async () => {
    const slow = new ApprovalFacts(newId('org'));
    const quick = new ApprovalFacts(newId('org'));
    await hookOf(slow, [...every]);
    await hookOf(quick, [...every]);
    receiver.answer(({ path }) => (path === pathOf(slow) ? 'silence' : { status: 200 }));
    const many = Array.from({ length: 100 }, () => new ApprovalFacts(slow.org_id).opened());
    await emit(...many, quick.opened());
    await eventually(() => arrived(quick).length === 1);
    expect(arrived(slow).length).toBeLessThan(100);
    receiver.answer({ status: 200 });
  });
});

describe('the answer of a receiver', () => {
  it('410 disables the endpoint, and the other channels are notified', async () => {
    const facts = new ApprovalFacts(newId('org'));
    const gone = await harness.webhook(facts.org_id, `${receiver.url}/gone`, [...every]);
    const { secret } = await hookOf(facts, ['endpoint.disabled']);
    receiver.answer(({ path }) => ({ status: path === '/gone' ? 410 : 200 }));
    await emit(facts.opened());
    await eventually(() => arrived(facts).length === 1);
    const one = { org_id: facts.org_id, channel_id: gone.id };
    expect(await harness.client.request(commands.get_channel, one)).toMatchObject({
      enabled: false,
      disabled_reason: 'gone',
    });
    expect(receiver.verified(pathOf(facts), secret)[0]?.event).toMatchObject({
      type: 'endpoint.disabled',
      subject: gone.id,
      data: { reason: 'gone' },
    });
    const [dead] = await harness.deliveries(facts.org_id, { channel_id: gone.id });
    expect(dead).toMatchObject({ status: 'dead', attempts_made: 1, error: 'the receiver answered 410' });
    const { rows } = await harness.pool.query('SELECT type FROM event WHERE org_id = $1 ORDER BY id', [
      facts.org_id,
    ]);
    expect(rows.map(({ type }: { type: string }) => type)).toEqual([
      'channel.created',
      'channel.created',
      'delivery.dead',
      'endpoint.disabled',
    ]);
    await emit(new ApprovalFacts(facts.org_id).opened());
    const again = { org_id: facts.org_id, actor, correlation_id: null, delivery_id: dead?.id ?? '' };
    await expect(harness.client.request(commands.redeliver, again)).rejects.toMatchObject({
      code: 'CHANNEL_DISABLED',
    });
    expect(await harness.deliveries(facts.org_id, { channel_id: gone.id })).toHaveLength(1);
  });

  it('a redirect is a failure and is not followed', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await hookOf(facts, [...every]);
    const elsewhere = { status: 307, headers: { location: `${receiver.url}/elsewhere` } };
    receiver.answer(elsewhere);
    await emit(facts.opened());
    const failed = await eventually(async () => {
      const [delivery] = await harness.deliveries(facts.org_id);
      return delivery?.attempts_made === 1 && delivery;
    });
    expect(failed).toMatchObject({
      status: 'pending',
      error: 'the receiver answered 307',
    });
    expect(receiver.got.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  });

  it('with Retry-After is followed by an attempt at that time', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await hookOf(facts, [...every]);
    receiver.answer({ status: 429, headers: { 'retry-after': '40' } });
    await emit(facts.opened());
    const failed = await eventually(async () => {
      const [delivery] = await harness.deliveries(facts.org_id);
      return delivery?.attempts_made === 1 && delivery;
    });
    const pause = Date.parse(failed.next_attempt_at ?? '') - Date.parse(failed.attempts[0]?.at ?? '');
    expect(pause).toBeGreaterThanOrEqual(40_000);
  });

  it('that refuses one message does not delay later ones about the request', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await hookOf(facts, [...every]);
    receiver.answer(({ event }) => ({ status: event.type === 'approval.requested' ? 400 : 200 }));
    await emit(facts.opened(), facts.escalated());
    await eventually(async () => (await statusesOf(facts))[1]?.[1] === 'delivered');
    expect((await statusesOf(facts))[0]?.[1]).toBe('pending');
  });

  it('that refuses the last attempt makes a dead letter, which can be sent again under its id', async () => {
    const facts = new ApprovalFacts(newId('org'), 500);
    await hookOf(facts, ['approval.requested']);
    receiver.answer({ status: 500 });
    await emit(facts.opened());
    const dead = await eventually(async () => {
      const [delivery] = await harness.deliveries(facts.org_id);
      return delivery?.status === 'dead' && delivery;
    });
    receiver.answer({ status: 200 });
    const again = { org_id: facts.org_id, actor, correlation_id: null, delivery_id: dead.id };
    await harness.client.request(commands.redeliver, again);
    await eventually(async () => (await statusesOf(facts))[0]?.[1] === 'delivered');
    expect(new Set(arrived(facts).map(({ headers }) => headers['webhook-id']))).toEqual(new Set([dead.id]));
    const { rows } = await harness.pool.query(
      `SELECT type, meta -> 'actor' ->> 'id' AS by FROM event WHERE org_id = $1 AND stream_id = $2 ORDER BY version`,
      [facts.org_id, dead.id],
    );
    expect(rows).toEqual([
      { type: 'delivery.dead', by: null },
      { type: 'delivery.redelivered', by: actor.id },
    ]);
    await expect(
      harness.client.request(commands.redeliver, { ...again, org_id: newId('org') }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('that refuses a delivery lets one of twenty redeliveries at once send it, and the others are refused', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await hookOf(facts, [...every]);
    receiver.answer({ status: 400 });
    await emit(facts.opened());
    const dead = await eventually(async () => {
      const [delivery] = await harness.deliveries(facts.org_id);
      return delivery?.attempts_made === 1 && delivery;
    });
    await harness.pool.query(`UPDATE delivery SET status = 'dead', claim = NULL WHERE org_id = $1`, [
      facts.org_id,
    ]);
    receiver.answer({ status: 200 });
    const again = { org_id: facts.org_id, actor, correlation_id: null, delivery_id: dead.id };
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, () => harness.client.request(commands.redeliver, again)),
    );
    const codes = answers.map((answer) =>
      answer.status === 'fulfilled' ? 'sent' : (answer.reason as Refused).code,
    );
    expect(codes).toContain('sent');
    expect([...new Set(codes)].filter((code) => code !== 'sent' && code !== 'DELIVERY_UNDER_WAY')).toEqual(
      [],
    );
    await eventually(async () => (await statusesOf(facts))[0]?.[1] === 'delivered');
  });
});

describe('mail', () => {
  it('is sent again after a temporary refusal of the server, and not after a permanent one', async () => {
    const facts = new ApprovalFacts(newId('org'));
    const to = [`team@${facts.approval_id.slice(4)}.example`];
    const events = ['approval.requested' as const];
    await harness.channel(facts.org_id, { type: 'email', name: 'team', events, enabled: true, to });
    post.refusals.push(451);
    await emit(facts.opened());
    await eventually(async () => (await harness.deliveries(facts.org_id))[0]?.attempts_made === 1);
    await timePasses(facts);
    await eventually(() => post.mails.some((mail) => mail.to[0] === to[0]));
    await eventually(async () => (await statusesOf(facts))[0]?.[1] === 'delivered');
    post.refusals.push(550);
    await emit(new ApprovalFacts(facts.org_id).opened());
    await eventually(async () => (await harness.deliveries(facts.org_id))[1]?.status === 'dead');
  });
});

describe('the notifier', () => {
  it('sends the deliveries that a dead process had claimed', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await hookOf(facts, [...every]);
    receiver.answer('hang up');
    await emit(facts.opened());
    await eventually(async () => (await harness.deliveries(facts.org_id))[0]?.attempts_made === 1);
    await harness.pool.query(
      `UPDATE delivery SET claim = 'somebody else', due_at = clock_timestamp() + interval '700 ms' WHERE org_id = $1`,
      [facts.org_id],
    );
    receiver.answer({ status: 200 });
    await eventually(async () => (await statusesOf(facts))[0]?.[1] === 'delivered');
  });

  it('delivers outcomes of submissions from the moment a channel was answered that asks for them', async () => {
    const org_id = newId('org');
    const ledger = harness.source('audit-ledger');
    const denied = () => ({
      org_id,
      stream_id: org_id,
      type: 'action.denied',
      data: {
        audit_event_id: newId('evt'),
        seq: 1,
        agent: { id: newId('agt'), name: 'deploy-bot' },
        action_type: 'deploy.production',
        action_digest: 'd'.repeat(43),
        policy: null,
        denial_reason: 'POLICY_NOT_FOUND',
      },
    });
    const told = () => receiver.got.filter(({ path }) => path === '/outcomes').map(({ event }) => event.id);
    const expected: (string | undefined)[] = [];
    const isToldNext = async () => {
      const [event] = await ledger.emit(denied());
      expected.push(event?.event_id);
      await eventually(() => told().length === expected.length);
      expect(told()).toEqual(expected);
    };
    await ledger.emit(denied());
    const { id: channel_id } = await harness.webhook(org_id, `${receiver.url}/outcomes`, ['action.denied']);
    await isToldNext();
    const update = (patch: object) =>
      harness.client.request(commands.update_channel, {
        org_id,
        actor,
        correlation_id: null,
        channel_id,
        patch,
      });
    for (const [off, on] of [
      [{ enabled: false }, { enabled: true }],
      [{ events: [] }, { events: ['action.denied', 'action.executed'] }],
    ] as const) {
      await update(off);
      await ledger.emit(denied());
      await update(on);
      await isToldNext();
    }
  });

  it('keeps mails while no mail server is configured, and sends them when there is one', async () => {
    const facts = new ApprovalFacts(newId('org'));
    await harness.halt();
    await harness.start({ SMTP_URL: '' });
    const address = `kept@${facts.approval_id.slice(4)}.example`;
    await emit(facts.escalated({ contacts: [address] }));
    const kept = await eventually(async () => {
      const [delivery] = await harness.deliveries(facts.org_id);
      return delivery?.status === 'kept' && delivery;
    });
    expect(kept.mail).toMatchObject({ to: [address], text: expect.stringContaining(facts.approval_id) });
    // Links are only for the receiver of the mail (decisions §3.9).
    const link = `https://approvals.example.com/approvals/${facts.approval_id}`;
    expect(JSON.stringify(kept)).not.toContain('approvals.example.com/');
    const { rows } = await harness.pool.query('SELECT mail FROM delivery WHERE mail LIKE $1', ['%.com/%']);
    expect(rows).toEqual([]);
    await harness.halt();
    await harness.start();
    const again = { org_id: facts.org_id, actor, correlation_id: null, delivery_id: kept.id };
    await harness.client.request(commands.redeliver, again);
    const { mail } = await eventually(() => post.mails.find(({ to }) => to.includes(address)));
    for (const body of [mail.text ?? '', mail.html || '']) expect(body).toContain(link);
  });
});
