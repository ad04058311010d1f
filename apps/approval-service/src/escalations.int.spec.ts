import {
  approvalServiceCommands as commands,
  type EscalationStep,
  type EventData,
  type OpenItem,
} from '@agentlattice/contracts';
import { EventStore } from '@agentlattice/event-store';
import { eventually } from '@agentlattice/testkit';
import { logger, newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from '../test/approval-harness.js';
import { DueSweep } from './application/due-sweep.js';
import { makeEscalateApprovals } from './application/escalate-approvals.js';
import { makeFindDueEscalations } from './outbound/due-requests.js';

let harness: ApprovalHarness;
beforeAll(async () => (harness = await approvalHarness()));
afterAll(() => harness.stop());

const step = (after: string, changes: Partial<EscalationStep> = {}): EscalationStep => ({
  after,
  contacts: [],
  channels: [],
  repeat: null,
  ...changes,
});
const asked = (escalation: EscalationStep[], inMs = 60_000): OpenItem => {
  const item = requested(newId('org'), inMs);
  return { ...item, terms: { ...item.terms, approvals_required: 1, escalation } };
};
interface Escalated {
  readonly data: EventData<'approval.escalated'>;
  readonly at: Date;
  readonly meta: { readonly actor: unknown };
}
const escalationsOf = async ({ org_id, approval_id }: OpenItem): Promise<Escalated[]> => {
  const { rows } = await harness.pool.query<Escalated>(
    `SELECT data, occurred_at AS at, meta FROM event
      WHERE org_id = $1 AND stream_id = $2 AND type = 'approval.escalated' ORDER BY version`,
    [org_id, approval_id],
  );
  return rows;
};
const levelsOf = async (item: OpenItem) =>
  (await escalationsOf(item)).map(({ data }) => `${String(data.level)}.${String(data.repetition)}`);
const nextOf = async ({ approval_id }: OpenItem) => {
  const { rows } = await harness.pool.query<{ next: Date | null }>(
    'SELECT next_escalation_at AS next FROM open_request WHERE approval_id = $1',
    [approval_id],
  );
  return rows[0]?.next ?? null;
};

describe('escalation', () => {
  it('takes each step once and not before its time, with or without contacts', async () => {
    const named = step('400ms', { contacts: ['oncall@example.com'] });
    const item = asked([step('100ms', { repeat: { every: '150ms', times: 2 } }), named]);
    await harness.opened(item);
    await eventually(async () => (await escalationsOf(item)).length >= 3 && (await nextOf(item)) === null);
    const sent = await escalationsOf(item);
    const begin = Date.parse(item.requested_at);
    for (const { data, at, meta } of sent) {
      const due = data.level === 2 ? 400 : 100 + data.repetition * 150;
      expect(at.getTime()).toBeGreaterThanOrEqual(begin + due);
      expect(meta.actor).toEqual({ kind: 'system', id: null, key_id: null, via: 'system' });
      expect(data.timeout_at).toBe(item.timeout_at);
    }
    // Of several missed repetitions only the last one is sent.
    const levels = sent.map(({ data }) => `${String(data.level)}.${String(data.repetition)}`);
    expect(new Set(levels).size).toBe(levels.length);
    expect(levels).toEqual(expect.arrayContaining(['1.0', '1.2', '2.0']));
    expect(sent.find(({ data }) => data.level === 2)?.data.step).toEqual(named);
  });

  it('shows in the request, which stays open', async () => {
    const item = asked([step('100ms')]);
    await harness.opened(item);
    await eventually(async () => (await escalationsOf(item)).length === 1);
    const { org_id, approval_id } = item;
    const view = await harness.n.client.request(commands.get_approval, {
      org_id,
      approval_id,
      agent_id: null,
    });
    expect(view).toMatchObject({ status: 'escalated', escalation_level: 1, resolved_at: null });
    const { approvals } = await harness.n.client.request(commands.list_approvals, {
      org_id,
      status: 'pending',
      cursor: null,
      limit: 10,
    });
    expect(approvals.map(({ id }) => id)).toEqual([approval_id]);
    const operator = await harness.member(org_id);
    const done = { org_id, approval_id, operator, reason: null, correlation_id: null };
    const decided = await harness.n.client.request(commands.deny, done);
    expect(decided).toMatchObject({ status: 'denied', escalation_level: 1 });
  });

  it('sends nothing once the request has ended, even when a step is due', async () => {
    const item = asked([step('3s')], 60_000);
    const other = asked([step('3100ms')], 60_000);
    await harness.opened(item, other);
    const { org_id, approval_id } = item;
    const operator = await harness.member(org_id);
    const denial = { org_id, approval_id, operator, reason: null, correlation_id: null };
    await harness.n.client.request(commands.deny, denial);
    await eventually(async () => (await escalationsOf(other)).length === 1);
    expect(await harness.typesOf(item)).toEqual(['approval.opened', 'approval.denied']);
  });

  it('takes no step at the deadline or after it', async () => {
    const item = asked([step('300ms'), step('200ms', { repeat: { every: '50ms', times: 9 } })], 300);
    await harness.opened(item);
    await eventually(async () => (await harness.typesOf(item)).includes('approval.timed_out'));
    expect(await levelsOf(item)).not.toContain('1.0');
    for (const { at } of await escalationsOf(item))
      expect(at.getTime()).toBeLessThan(Date.parse(item.timeout_at));
    expect((await harness.typesOf(item)).at(-1)).toBe('approval.timed_out');
  });

  it('is found by sweeps without a timer, once even if several run at a time', async () => {
    const items = Array.from({ length: 150 }, () => asked([step('100ms')]));
    await harness.opened(...items);
    const sweeps = [1, 2, 3].map(
      () =>
        new DueSweep({
          find: makeFindDueEscalations(harness),
          handle: makeEscalateApprovals({ pool: harness.pool, store: new EventStore(harness.pool), logger }),
        }),
    );
    await eventually(async () => {
      await Promise.all(sweeps.map((sweep) => sweep.run()));
      const levels = await Promise.all(items.map(levelsOf));
      return levels.every((sent) => sent.length > 0);
    });
    for (const item of items) expect(await levelsOf(item)).toEqual(['1.0']);
  });

  it('gets the right time for requests that are older than the release with escalations', async () => {
    const item = asked([step('20s')]);
    await harness.opened(item);
    await harness.pool.query(
      `UPDATE open_request o SET next_escalation_at = a.created_at
         FROM approval a WHERE a.approval_id = o.approval_id AND o.approval_id = $1`,
      [item.approval_id],
    );
    await eventually(async () => (await nextOf(item))?.getTime() === Date.parse(item.requested_at) + 20_000);
    expect(await escalationsOf(item)).toEqual([]);
  });
});
