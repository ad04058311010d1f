import {
  approvalServiceCommands as commands,
  auditLedgerCommands,
  type OpenItem,
  type WireEvent,
} from '@agentlattice/contracts';
import { EventStore } from '@agentlattice/event-store';
import { CommandClient, respondTo } from '@agentlattice/messaging';
import { eventually } from '@agentlattice/testkit';
import type { Subscription } from '@nats-io/transport-node';
import { jetstream } from '@nats-io/jetstream';
import type pg from 'pg';
import { logger, type Neighbours, newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from '../test/approval-harness.js';
import { DueSweep } from './application/due-sweep.js';
import { makeFindDueDeadlines } from './outbound/due-requests.js';
import { makeOpenApprovals } from './application/open-approvals.js';
import { makeTimeOutApprovals } from './application/time-out-approvals.js';

const org = newId('org');

describe('the approval service', () => {
  let harness: ApprovalHarness;
  let pool: pg.Pool;
  let n: Neighbours;
  const answered = (item: OpenItem) => eventually(() => n.answers.get(item.item_id)?.at(0));
  const events = async (item: OpenItem) =>
    (
      await pool.query<{ type: string; at: Date }>(
        'SELECT type, occurred_at AS at FROM event WHERE org_id = $1 AND stream_id = $2 ORDER BY version',
        [item.org_id, item.approval_id],
      )
    ).rows;
  const typesOf = async (item: OpenItem) => (await events(item)).map(({ type }) => type);
  const status = (item: OpenItem, agent_id: string | null = null) =>
    n.client.request(commands.approval_status, {
      org_id: item.org_id,
      approval_id: item.approval_id,
      agent_id,
    });

  beforeAll(async () => {
    harness = await approvalHarness();
    ({ n, pool } = harness);
  });
  afterAll(() => harness.stop());

  it('answers once the request is on disk, and gives the same answer to a repetition', async () => {
    const item = requested(org);
    n.open(item);
    const answer = await answered(item);
    expect(answer).toMatchObject({
      agent_id: item.agent.id,
      action_digest: item.action_digest,
      grant: null,
      error: null,
      outcome: {
        status: 'requested',
        verdict: 'pending_approval',
        denial_reason: null,
        approval_id: item.approval_id,
        audit_event_id: item.audit_event_id,
        timeout_at: item.timeout_at,
        policy_name: item.policy.name,
        conditions_evaluated: item.conditions_evaluated,
      },
    });
    const again = { ...item, item_id: 'again', replayed: true };
    n.open(again);
    expect(await answered(again)).toEqual({ ...answer, item_id: 'again', replayed: true });
    expect(await typesOf(item)).toEqual(['approval.opened']);
    expect(await status(item)).toMatchObject({
      status: 'pending',
      reason: null,
      timeout_at: item.timeout_at,
    });
  });

  it('opens each request once when batches with the same items arrive at the same time', async () => {
    const items = Array.from({ length: 30 }, () => requested(org));
    for (let i = 0; i < 6; i++) n.open(...(i % 2 === 0 ? items : [...items].reverse()));
    await eventually(() => items.every((item) => n.answers.get(item.item_id)?.length === 6));
    for (const item of items) {
      expect(n.answers.get(item.item_id)?.every((answer) => answer.outcome?.status === 'requested')).toBe(
        true,
      );
      expect(await typesOf(item)).toEqual(['approval.opened']);
    }
  });

  it('fails only the faulty item', async () => {
    const first = requested(org);
    const conflicting = { ...requested(org), approval_id: first.approval_id };
    const unstorable = requested(org, 60_000, { agent: { ...first.agent, name: 'nul \0' } });
    const last = requested(org);
    n.open(first, { item_id: 'broken' }, conflicting, unstorable, last);
    expect((await answered(conflicting)).error).toMatchObject({ code: 'INTERNAL' });
    expect((await answered(unstorable)).error).toMatchObject({ code: 'INTERNAL' });
    for (const item of [first, last]) expect((await answered(item)).outcome?.status).toBe('requested');
    expect(n.answers.has('broken')).toBe(false);
  });

  it('times out a request at once that is opened after its deadline', async () => {
    const item = requested(org, -1_000);
    n.open(item);
    expect((await answered(item)).outcome).toMatchObject({
      status: 'denied',
      verdict: 'denied',
      denial_reason: 'approval_timeout',
      approval_id: item.approval_id,
    });
    expect(await typesOf(item)).toEqual(['approval.opened', 'approval.timed_out']);
    expect(await status(item)).toMatchObject({
      status: 'timed_out',
      reason: 'approval_timeout',
      resolved_by: null,
    });
  });

  it('times out each request once, at its deadline and never earlier, and wakes the waiting gateway', async () => {
    const items = Array.from({ length: 100 }, () => requested(org, 1_200));
    n.open(...items);
    await eventually(() => items.every((item) => n.wakes.includes(item.approval_id)), { within: 30_000 });
    for (const item of items) {
      const all = await events(item);
      expect(all.map(({ type }) => type)).toEqual(['approval.opened', 'approval.timed_out']);
      expect(all[1]?.at.getTime()).toBeGreaterThanOrEqual(Date.parse(item.timeout_at));
      expect(n.wakes.filter((id) => id === item.approval_id)).toHaveLength(1);
    }
  });

  it('finds due requests by its sweep without a timer', async () => {
    const store = new EventStore(pool);
    const timeOut = makeTimeOutApprovals({ store, nc: { publish: () => {} }, logger });
    const open = makeOpenApprovals({
      pool,
      alarms: { set: () => {} },
      timeOut,
      endUndecidable: () => Promise.resolve([]),
      logger,
    });
    const item = requested(newId('org'), 300);
    await open([item]);
    const sweep = new DueSweep({ find: makeFindDueDeadlines({ pool }), handle: timeOut });
    await eventually(async () => {
      await Promise.all([sweep.run(), sweep.run(), sweep.run()]);
      return (await typesOf(item)).length === 2;
    });
    expect(await typesOf(item)).toEqual(['approval.opened', 'approval.timed_out']);
  });

  it('opens a request that the ledger recorded and no batch opened, with its values', async () => {
    const item = requested(newId('org'));
    const { item_id, gateway, replayed, ...action } = item;
    expect([item_id, gateway, replayed]).toHaveLength(3);
    const event: WireEvent = {
      event_id: item.audit_event_id,
      type: 'action.requested',
      schema_version: 1,
      source: 'audit-ledger',
      gpos: 1,
      source_seq: 1,
      org_id: item.org_id,
      stream_id: item.org_id,
      version: 1,
      occurred_at: item.requested_at,
      correlation_id: null,
      traceparent: null,
      actor: null,
      data: {
        audit_event_id: item.audit_event_id,
        seq: 1,
        agent: { id: item.agent.id, name: item.agent.name },
        action_type: item.action_type,
        action_digest: item.action_digest,
        policy: item.policy,
        approval_id: item.approval_id,
        timeout_at: item.timeout_at,
      },
    };
    await jetstream(n.ledger).publish(
      `events.${item.org_id}.action.requested`,
      JSON.stringify({ events: [event] }),
    );
    // The ledger is unreachable at first.
    const answering: Subscription[] = [
      respondTo(n.ledger, {
        command: auditLedgerCommands.replay,
        queue: 'audit-ledger',
        logger,
        handler: () => ({ events: [event], head_gpos: 1, through_gpos: 1 }),
      }),
      respondTo(n.ledger, {
        command: auditLedgerCommands.requested_action,
        queue: 'audit-ledger',
        logger,
        handler: () => action,
      }),
    ];
    const view = await eventually(
      () =>
        n.client.request(commands.get_approval, {
          org_id: item.org_id,
          approval_id: item.approval_id,
          agent_id: null,
        }),
      { within: 30_000 },
    );
    expect(view).toMatchObject({
      status: 'pending',
      metadata: { pr_size: 512 },
      data_accessed: [{ table: 'users' }],
    });
    expect(await typesOf(item)).toEqual(['approval.opened']);
    await eventually(async () => (await pool.query('SELECT FROM unopened_request')).rowCount === 0);
    for (const subscription of answering) subscription.unsubscribe();
  });

  it('shows a request with all data that an operator needs', async () => {
    const item = requested(newId('org'));
    n.open(item);
    await answered(item);
    const view = await n.client.request(commands.get_approval, {
      org_id: item.org_id,
      approval_id: item.approval_id,
      agent_id: null,
    });
    expect(view).toMatchObject({
      id: item.approval_id,
      status: 'pending',
      agent: { id: item.agent.id, name: 'builder' },
      action_digest: item.action_digest,
      metadata: { pr_size: 512 },
      data_accessed: [{ table: 'users' }],
      conditions_evaluated: item.conditions_evaluated,
      created_at: item.requested_at,
      approvals: { have: 0, need: 2 },
      history: [{ type: 'approval.opened', operator: null }],
    });
    expect(view.time_left_seconds).toBeGreaterThan(0);
  });

  it('lists by filters and in pages, and keeps workspaces and agents apart', async () => {
    const own = newId('org');
    const stranger = { id: newId('agt'), name: 'stranger', owner_member_id: null };
    const now = Date.now();
    const items = [0, 1, 2, 3, 4].map((i) =>
      requested(own, 60_000, {
        requested_at: new Date(now - i).toISOString(),
        timeout_at: new Date(now + 60_000 + i).toISOString(),
        ...(i === 4 && { agent: stranger }),
      }),
    );
    const late = requested(own, -1, { requested_at: new Date(now - 9).toISOString() });
    n.open(...items, late);
    for (const item of [...items, late]) await answered(item);
    const list = (changes: object) =>
      n.client.request(commands.list_approvals, { org_id: own, cursor: null, limit: 50, ...changes });
    const all = items.map((item) => item.approval_id);
    expect((await list({ status: 'pending' })).approvals.map((a) => a.id)).toEqual(all);
    expect((await list({ policy_id: late.policy.id })).approvals.map((a) => a.id)).toEqual([
      ...all,
      late.approval_id,
    ]);
    expect((await list({ status: 'timed_out' })).approvals.map((a) => a.id)).toEqual([late.approval_id]);
    expect((await list({ agent_id: stranger.id })).approvals.map((a) => a.id)).toEqual([
      items[4]?.approval_id,
    ]);
    expect((await list({ action_type: 'other' })).approvals).toEqual([]);
    const first = await list({ status: 'pending', limit: 3 });
    const second = await list({ status: 'pending', limit: 3, cursor: first.next_cursor });
    expect([...first.approvals, ...second.approvals].map((a) => a.id)).toEqual(all);
    expect(second.next_cursor).toBeNull();
    await expect(list({ cursor: 'forged' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    const [item] = items;
    if (item === undefined) throw new Error('there is an item');
    await expect(status(item, stranger.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(status({ ...item, org_id: newId('org') })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('has no right to change its events or to delete a private value', async () => {
    for (const statement of ['UPDATE event SET data = data', 'DELETE FROM event', 'DELETE FROM approval'])
      await expect(pool.query(statement)).rejects.toMatchObject({ code: '42501' });
    const { rows } = await pool.query<{ text: string }>(
      'SELECT string_agg(data::text || meta::text, $1) AS text FROM event',
      [' '],
    );
    expect(rows[0]?.text).not.toMatch(/pr_size|users/);
  });

  it('replays its events', async () => {
    const page = await eventually(async () => {
      const found = await new CommandClient(n.ledger).request(commands.replay, { after_gpos: 0, limit: 10 });
      return found.events.length > 0 && found;
    });
    expect(page.events[0]).toMatchObject({ source: 'approval-service', gpos: 1, type: 'approval.opened' });
  });
});
