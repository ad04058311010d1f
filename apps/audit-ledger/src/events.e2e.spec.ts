import { auditLedgerCommands as commands, type WireEvent } from '@agentlattice/contracts';
import { verifyLedger } from '@agentlattice/ledger';
import { consumeEvents } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import { eventually } from '@agentlattice/testkit';
import { typeidUnboxed } from 'typeid-js';
import { FakeSource } from '../test/fake-source.js';
import {
  type LedgerHarness,
  type LedgerProcess,
  startLedgerHarness,
  Submitter,
} from '../test/ledger-harness.js';
import { newOrg, sampleAgent, sampleItem, samplePolicy } from '../test/sample-items.js';

let harness: LedgerHarness;
let submitter: Submitter;
let ledger: LedgerProcess;
let gateway: FakeSource;
let approvals: FakeSource;
let policies: FakeSource;
beforeAll(async () => {
  harness = await startLedgerHarness();
  submitter = new Submitter(harness.nc);
  [gateway, approvals, policies] = [
    new FakeSource(harness.nc, 'gateway'),
    new FakeSource(harness.nc, 'approval-service'),
    new FakeSource(harness.nc, 'policy-engine'),
  ];
  ledger = await harness.start();
  await ledger.ready();
}, 120_000);
afterAll(() => harness.stop());

const agent = { id: sampleAgent.id, name: 'bot' };
const registered = () => ({
  type: 'agent.registered' as const,
  data: { agent, description: null, owner_member_id: null },
});
const search = async (org_id: string) => (await harness.search(org_id)).events.reverse();
const logOf = (org_id: string, length: number) =>
  eventually(async () => {
    const events = await search(org_id);
    return events.length >= length ? events : undefined;
  });
const isSound = async (org_id: string) => {
  expect(verifyLedger(await harness.entriesOf(org_id))).toMatchObject({ ok: true });
};

describe('events of other services', () => {
  it('become entries with actor and action', async () => {
    const org = newOrg();
    const member = typeidUnboxed('mbr');
    const event = gateway.add(org, registered(), {
      actor: { kind: 'operator', id: member, key_id: null, via: 'dashboard' },
      correlation_id: 'req_1',
    });
    await gateway.publish(event);
    const [created, entry] = await logOf(org, 2);
    expect(created).toMatchObject({ type: 'ledger.created', seq: 0, source: 'audit-ledger', source_seq: 1 });
    expect(entry).toMatchObject({
      id: event.event_id,
      type: 'agent.registered',
      timestamp: event.occurred_at,
      source: 'gateway',
      source_seq: 1,
      agent,
      operator: { id: member, via: 'dashboard' },
      decision: null,
      correlation_id: 'req_1',
    });
  });

  it('are entered once and in order, although they arrive three times and shuffled', async () => {
    const orgs = [newOrg(), newOrg()];
    const events = Array.from({ length: 60 }, (_, n) => gateway.add(orgs[n % 2] ?? '', registered()));
    const shuffled = [...events, ...events, ...events]
      .map((event, n) => ({ event, place: (n * 7_919) % 181 }))
      .sort((a, b) => a.place - b.place)
      .map(({ event }) => event);
    await gateway.publish(...shuffled);
    for (const org of orgs) {
      const log = await logOf(org, 31);
      expect(log.map(({ id }) => id).slice(1)).toEqual(
        events.filter((e) => e.org_id === org).map((e) => e.event_id),
      );
      await isSound(org);
    }
  });

  it('that the stream lost are fetched from their source', async () => {
    const org = newOrg();
    const events = Array.from({ length: 5 }, () => approvals.add(org, timedOut()));
    await approvals.publish(...events.slice(4));
    const log = await logOf(org, 6);
    expect(log.map(({ source_seq }) => source_seq)).toEqual([1, 1, 2, 3, 4, 5]);
    expect(log[1]).toMatchObject({ decision: 'timed_out', resolved_by: null, policy: { name: 'Sample' } });
    await isSound(org);
  });

  it('share their log with submissions', async () => {
    const org = newOrg();
    for (let n = 0; n < 10; n++) {
      const event = gateway.add(org, registered());
      await Promise.all([gateway.publish(event), submitter.answered(sampleItem({ org }))]);
    }
    expect(await logOf(org, 21)).toHaveLength(21);
    await isSound(org);
  });

  it('that cannot be read stop only their own source, and readiness names it', async () => {
    const org = newOrg();
    const odd = policies.add(org, { type: 'policy.invented', data: {} });
    // Every later event waits.
    const next = policies.add(org, registeredPolicy());
    await policies.publish(odd, next);
    await eventually(async () => (await ledger.readiness()).missing.includes('audit log writer'));
    expect((await submitter.answered(sampleItem({ org }))).error).toBeNull();
    expect(ledger.output()).toContain('policy.invented');
    // The service is corrected and publishes the event again in a readable form.
    const mended = { ...odd, ...registeredPolicy(), event_id: typeidUnboxed('evt') };
    policies.events.splice(0, 1, mended);
    await policies.publish(...policies.events);
    await ledger.ready();
    const log = await logOf(org, 4);
    expect(log.slice(2).map(({ id }) => id)).toEqual([mended.event_id, next.event_id]);
    expect(log[2]).toMatchObject({ type: 'policy.created', action_type: 'mail.*' });
  });
});

describe('the ledger’s own events', () => {
  const heard = new Map<string, WireEvent>();
  let stop: () => Promise<void>;
  beforeAll(() => {
    const consumer = consumeEvents(harness.nc, {
      durable: 'test-own',
      logger: createLogger('test', 'silent'),
      onMessage: (events) => {
        for (const event of events) heard.set(event.event_id, event);
        return Promise.resolve();
      },
    });
    stop = () => consumer.stop();
  });
  afterAll(() => stop());

  it('are published with the content of their entries, numbered without gaps, and replayed identically', async () => {
    const item = sampleItem({ org: newOrg(), decision: 'requested' });
    await submitter.submit(item);
    const event = await eventually(() =>
      [...heard.values()].find((e) => e.data['approval_id'] === item.verdict.approval_id),
    );
    expect(event).toMatchObject({
      type: 'action.requested',
      source: 'audit-ledger',
      source_seq: 2,
      org_id: item.org_id,
    });
    expect(event.data).toMatchObject({ seq: 1, policy: samplePolicy, action_digest: item.action_digest });
    const again: WireEvent[] = [];
    let after_gpos = 0;
    for (;;) {
      const page = await harness.client.request(commands.replay, { after_gpos, limit: 20 });
      again.push(...page.events);
      after_gpos = page.through_gpos;
      if (page.through_gpos >= page.head_gpos) break;
    }
    expect(again.map(({ gpos }) => gpos)).toEqual(again.map((_, n) => n + 1));
    expect(again.find(({ event_id }) => event_id === event.event_id)).toEqual(event);
    const { events } = await harness.client.request(commands.replay, {
      after_gpos: 0,
      limit: 10,
      org_id: item.org_id,
      types: ['action.requested'],
    });
    expect(events).toEqual([event]);
  });

  it('are published again on a new stream after NATS has lost its disk', async () => {
    await harness.nats.wipe();
    heard.clear();
    const { head_gpos } = await eventually(
      () => harness.client.request(commands.replay, { after_gpos: 0, limit: 1 }),
      {
        within: 30_000,
      },
    );
    await eventually(
      () => [...heard.values()].filter(({ source }) => source === 'audit-ledger').length >= head_gpos,
      {
        within: 30_000,
      },
    );
    // Submissions are accepted again once a write to the new stream has succeeded.
    const item = await eventually(async () => {
      const one = sampleItem({ org: newOrg() });
      return (await submitter.answered(one)).error === null && one;
    });
    await eventually(() => [...heard.values()].some((event) => event.org_id === item.org_id));
  });
});

function timedOut() {
  const timeout_at = '2026-11-25T06:00:00.000Z';
  return {
    type: 'approval.timed_out' as const,
    data: {
      approval_id: typeidUnboxed('apr'),
      audit_event_id: typeidUnboxed('evt'),
      agent: { ...agent, owner_member_id: null },
      action_type: 'mail.send',
      policy: samplePolicy,
      timeout_at,
    },
  };
}

function registeredPolicy() {
  return {
    type: 'policy.created',
    data: {
      policy_id: samplePolicy.id,
      name: 'Sample',
      version: 1,
      hash: 'cd'.repeat(32),
      content: {
        name: 'Sample',
        action_type: 'mail.*',
        effect: 'allow',
        conditions: [],
        condition_expression: null,
        on_fail: 'require_approval',
        timeout: '30m',
        escalation: [],
        approvals_required: 1,
        denials_required: 1,
        approver_groups: [],
        separation_of_duties: false,
        on_removed: 'approve',
        on_no_approver: 'escalate',
        mode: 'enforce',
        active: true,
      },
    },
  };
}
