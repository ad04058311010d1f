import {
  auditLedgerCommands as commands,
  type CommandRequest,
  type WireEvent,
} from '@agentlattice/contracts';
import { canonicalJson, commit, type Disclosed, parseEntry } from '@agentlattice/ledger';
import { consumeEvents } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import { eventually } from '@agentlattice/testkit';
import { typeidUnboxed } from 'typeid-js';
import { FakeApprovalService } from '../test/fake-approval-service.js';
import {
  type LedgerHarness,
  type LedgerProcess,
  startLedgerHarness,
  Submitter,
} from '../test/ledger-harness.js';
import { newOrg, sampleAgent, sampleItem, type Wanted } from '../test/sample-items.js';

let harness: LedgerHarness;
let first: LedgerProcess;
let submitter: Submitter;
let approvals: FakeApprovalService;
beforeAll(async () => {
  harness = await startLedgerHarness();
  submitter = new Submitter(harness.nc);
  approvals = new FakeApprovalService(harness.nc);
  first = await harness.start();
  await first.ready();
}, 120_000);
afterAll(() => harness.stop());

type Report = CommandRequest<typeof commands.report>;

type Item = ReturnType<typeof sampleItem>;
/** Submits an action; the id of its entry. */
const act = (wanted: Wanted): Promise<string> => submit(sampleItem(wanted));
async function submit(item: Item): Promise<string> {
  const submitted = await submitter.submit(item);
  return 'outcome' in submitted ? (submitted.outcome?.audit_event_id ?? '') : submitted.audit_event_id;
}
/** A person's decision about it, which is not published yet. */
function decided(org: string, item: Item, type: 'approval.approved' | 'approval.denied'): WireEvent {
  const decision = {
    approval_id: item.verdict.approval_id,
    audit_event_id: typeidUnboxed('evt'),
    agent: { id: sampleAgent.id, name: 'bot', owner_member_id: null },
    action_type: 'mail.send',
    policy: item.verdict.policy,
    votes: [],
    change: null,
  };
  const approved = {
    action_digest: item.action_digest,
    scope: 'once',
    forever_for: null,
    forever_by: null,
    grant_expires_at: '2026-11-25T06:00:00.000Z',
  };
  const data =
    type === 'approval.denied'
      ? { ...decision, denial_reason: 'DENIED_BY_REVIEWER' }
      : { ...decision, ...approved };
  const actor = { kind: 'operator', id: typeidUnboxed('mbr'), key_id: null, via: 'api' } as const;
  return approvals.add(org, { type, data }, { actor });
}
const report = (org_id: string, audit_event_id: string, more: Partial<Report> = {}) =>
  harness.client.request(commands.report, {
    org_id,
    agent_id: sampleAgent.id,
    audit_event_id,
    status: 'success',
    message: null,
    metadata: null,
    ...more,
  });
const search = async (org_id: string) => (await harness.search(org_id)).events;
const posture = (org_id: string, agent_id: string | null = sampleAgent.id) =>
  harness.client.request(commands.posture, { org_id, agent_id });

describe('a report', () => {
  it('is an entry before it is answered, bound to the action and to its message', async () => {
    const org = newOrg();
    const gate = sampleItem({ org, decision: 'requested' });
    const action = await submit(gate);
    // Its entry may still be on the way.
    await approvals.publish(decided(org, gate, 'approval.approved'));
    const metadata = { seconds: 4.5, hosts: ['a', 'b'] };
    const answer = await report(org, action, {
      status: 'partial',
      message: 'one of two',
      metadata: canonicalJson(metadata),
    });
    const { rows } = await harness.admin.query<{ bytes: Buffer; content: string; status: string }>(
      `SELECT e.bytes, p.content, r.status FROM report r JOIN entry e ON e.id = r.entry_id
         JOIN private_value p ON p.entry_id = e.id WHERE r.action_id = $1`,
      [action],
    );
    expect(rows).toHaveLength(1);
    const [row] = rows;
    if (row === undefined) throw new Error('no report');
    const entry = parseEntry(row.bytes);
    expect(answer).toEqual({ audit_event_id: action, status: 'partial', reported_at: entry.time });
    expect(row.status).toBe('partial');
    const bound = { audit_event_id: action, metadata, status: 'partial' };
    const { note, metadata: reported } = JSON.parse(row.content) as Required<Disclosed>;
    expect(reported.value).toBe(canonicalJson(bound));
    expect(entry.private).toEqual({
      note: commit('note', note.salt, '"one of two"'),
      metadata: commit('metadata', reported.salt, canonicalJson(bound)),
    });
    const [shown, , asked] = await search(org);
    expect(shown).toMatchObject({
      type: 'action.reported',
      status: 'reported',
      decision: null,
      agent: { id: sampleAgent.id },
      action_type: 'mail.send',
      note: 'one of two',
      metadata: bound,
    });
    expect(shown).toMatchObject({
      approval_id: asked?.approval_id,
      policy: asked?.policy,
      correlation_id: asked?.correlation_id,
    });
    const check = await harness.verify(org);
    expect(check).toMatchObject({ chain_valid: true, verified_through_row: 4 });
  });

  it('may be repeated: every report is an entry', async () => {
    const org = newOrg();
    const action = await act({ org });
    const statuses = ['failure', 'partial', 'success'] as const;
    for (const status of statuses) expect((await report(org, action, { status })).status).toBe(status);
    const reported = (await search(org)).filter(({ type }) => type === 'action.reported');
    expect(reported.map(({ metadata }) => metadata['status'])).toEqual([...statuses].reverse());
  });

  it('is accepted for the agent’s own actions that were allowed or requested', async () => {
    const org = newOrg();
    const action = await act({ org });
    const refused = (code: string) => expect.objectContaining({ code });
    await expect(report(org, action, { agent_id: typeidUnboxed('agt') })).rejects.toEqual(
      refused('NOT_FOUND'),
    );
    await expect(report(newOrg(), action)).rejects.toEqual(refused('NOT_FOUND'));
    for (const unknown of [typeidUnboxed('evt'), 'x', '\0', ''])
      await expect(report(org, unknown)).rejects.toEqual(refused('NOT_FOUND'));
    // Its own report is no action.
    await report(org, action);
    const [own] = await search(org);
    await expect(report(org, own?.id ?? '')).rejects.toEqual(refused('NOT_FOUND'));
    await expect(report(org, await act({ org, decision: 'denied' }))).rejects.toEqual(
      refused('NOT_REPORTABLE'),
    );
  });

  it('is refused for an action that waits for a person, or that a person denied', async () => {
    const org = newOrg();
    const gate = sampleItem({ org, decision: 'requested' });
    const action = await submit(gate);
    const refused = expect.objectContaining({ code: 'NOT_REPORTABLE' });
    await expect(report(org, action)).rejects.toEqual(refused);
    await approvals.publish(decided(org, gate, 'approval.denied'));
    await expect(report(org, action)).rejects.toEqual(refused);
    const approved = sampleItem({ org, decision: 'requested' });
    const allowed = await submit(approved);
    // Known only from its source.
    decided(org, approved, 'approval.approved');
    expect((await report(org, allowed)).status).toBe('success');
  });

  it('is published as an event, and replayed as the same event', async () => {
    const heard = new Map<string, WireEvent>();
    const consumer = consumeEvents(harness.nc, {
      durable: 'test-reports',
      types: ['action.reported'],
      logger: createLogger('test', 'silent'),
      onMessage: (events) => {
        for (const event of events) heard.set(event.org_id, event);
        return Promise.resolve();
      },
    });
    const org = newOrg();
    const action = await act({ org });
    await report(org, action, { status: 'failure', message: 'a secret' });
    const event = await eventually(() => heard.get(org));
    expect(event.data).toMatchObject({ audit_event_id: action, status: 'failure', approval_id: null });
    expect(JSON.stringify(event)).not.toContain('secret');
    const { events } = await harness.client.request(commands.replay, {
      after_gpos: event.gpos - 1,
      limit: 1,
    });
    expect(events).toEqual([event]);
    await consumer.stop();
  });

  it('is taken by the active writer only, and by the next one after a failover', async () => {
    const second = await harness.start();
    await second.ready();
    const org = newOrg();
    const action = await act({ org });
    await Promise.all(Array.from({ length: 40 }, () => report(org, action)));
    const reports = async () => (await search(org)).filter(({ type }) => type === 'action.reported').length;
    expect(await reports()).toBe(40);
    await first.kill('SIGKILL');
    await eventually(() => report(org, action), { within: 30_000 });
    expect(await reports()).toBe(41);
    first = second;
  });
});

describe('posture', () => {
  it('is full where there is nothing to judge', async () => {
    expect(await posture(newOrg(), null)).toMatchObject({
      score: 100,
      components: { audit_integrity: { score: 30, max: 30 } },
    });
  });

  it('is counted from the log, for an agent or for the workspace', async () => {
    const org = newOrg();
    const executed = [await act({ org }), await act({ org }), await act({ org })];
    const gate = sampleItem({ org, decision: 'requested' });
    await submitter.submit(gate);
    await act({ org, decision: 'requested' });
    // No policy.
    await act({ org, decision: 'denied' });
    await report(org, executed[0] ?? '', { status: 'failure' });
    await report(org, executed[0] ?? '');
    const subject = {
      approval_id: gate.verdict.approval_id,
      audit_event_id: typeidUnboxed('evt'),
      agent: { id: sampleAgent.id, name: 'bot', owner_member_id: null },
      action_type: 'mail.send',
      policy: gate.verdict.policy,
    };
    const decision = { ...subject, votes: [], change: null };
    const actor = { kind: 'operator', id: typeidUnboxed('mbr'), key_id: null, via: 'api' } as const;
    const approved = {
      ...decision,
      action_digest: gate.action_digest,
      scope: 'once',
      forever_for: null,
      forever_by: null,
      grant_expires_at: '2026-11-25T06:00:00.000Z',
    };
    const denied = { ...decision, denial_reason: 'POLICY_CHANGED' };
    const timedOut = { ...subject, timeout_at: '2026-11-25T06:00:00.000Z' };
    // Within the window, whatever day it is.
    const occurred_at = new Date().toISOString();
    await approvals.publish(
      approvals.add(org, { type: 'approval.approved', data: approved }, { actor, occurred_at }),
      approvals.add(org, { type: 'approval.timed_out', data: timedOut }, { occurred_at }),
      approvals.add(org, { type: 'approval.timed_out', data: timedOut }, { occurred_at }),
      approvals.add(org, { type: 'approval.timed_out', data: timedOut }, { occurred_at }),
      // A decision of the system does not count as one of people.
      approvals.add(org, { type: 'approval.denied', data: denied }, { occurred_at }),
      // Long ago.
      approvals.add(
        org,
        { type: 'approval.timed_out', data: timedOut },
        { occurred_at: '2020-01-01T00:00:00.000Z' },
      ),
    );
    await eventually(async () => (await search(org)).length === 15);
    const wanted = {
      score: 65,
      components: {
        audit_integrity: { score: 30, max: 30 },
        policy_coverage: { score: 25, max: 30 },
        human_oversight: { score: 5, max: 20 },
        // Three were executed and one was approved; one was reported.
        outcome_reporting: { score: 5, max: 20 },
      },
    };
    expect(await posture(org)).toMatchObject(wanted);
    expect(await posture(org, null)).toMatchObject(wanted);
    const stranger = await posture(org, typeidUnboxed('agt'));
    expect(stranger.components.policy_coverage).toMatchObject({
      score: 30,
      detail: 'Nothing to judge in the last 30 days.',
    });
  });
});
