import {
  approvalServiceCommands as commands,
  type ApprovalView,
  type CommandRequest,
  type DecidingOperator,
  type OpenItem,
} from '@agentlattice/contracts';
import { newId, requested } from '../test/approval-fixture.js';
import { type ApprovalHarness, approvalHarness } from '../test/approval-harness.js';

let harness: ApprovalHarness;
beforeAll(async () => (harness = await approvalHarness()));
afterAll(() => harness.stop());

/** The longest reason, which is six times as long in JSON. */
const worst = '\u0001'.repeat(2000);
const open = async (org: string, changes: Partial<OpenItem> = {}) => {
  const item = requested(org, 60_000, changes);
  await harness.opened(item);
  return item;
};
const decision = ({ org_id, approval_id }: OpenItem, operator: DecidingOperator) => ({
  org_id,
  approval_id,
  operator,
  correlation_id: null,
});
const approve = (item: OpenItem, operator: DecidingOperator) =>
  harness.n.client.request(commands.approve, {
    ...decision(item, operator),
    reason: worst,
    forever_for: null,
    policy_version: null,
  });
const withdraw = (item: OpenItem, operator: DecidingOperator) =>
  harness.n.client.request(commands.withdraw_vote, decision(item, operator));
const view = ({ org_id, approval_id }: OpenItem) =>
  harness.n.client.request(commands.get_approval, { org_id, approval_id, agent_id: null });
const list = (org_id: string, changes: Partial<CommandRequest<typeof commands.list_approvals>> = {}) =>
  harness.n.client.request(commands.list_approvals, { org_id, cursor: null, limit: 200, ...changes });

/** As an earlier release allowed: one person voted and withdrew many times. */
async function wentBackAndForth(item: OpenItem, member_id: string, rounds: number) {
  const { org_id, approval_id, audit_event_id, agent, action_type, policy } = item;
  const none = { have: 0, need: item.terms.approvals_required };
  const subject = {
    ...{ approval_id, audit_event_id, action_type, policy, approvals: none, denials: { have: 0, need: 1 } },
    agent: { id: agent.id, name: agent.name, owner_member_id: agent.owner_member_id },
  };
  const events = Array.from({ length: 2 * rounds }, (_, i) => ({
    event_id: newId('evt'),
    version: i + 2,
    ...(i % 2 === 0
      ? {
          type: 'approval.vote_cast',
          data: {
            ...subject,
            vote: {
              member_id,
              decision: 'approve',
              groups: [],
              at: '2026-11-25T06:00:00Z',
              forever_for: null,
            },
          },
        }
      : { type: 'approval.vote_withdrawn', data: { ...subject, member_id } }),
  }));
  const meta = {
    actor: { kind: 'operator', id: member_id, key_id: null, via: 'api' },
    ...{ correlation_id: null, traceparent: null },
  };
  await harness.pool.query(
    `INSERT INTO event (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at)
     SELECT $1, $2, version, event_id, type, 1, data, $3, now()
       FROM jsonb_to_recordset($4::jsonb) AS r (version int, event_id text, type text, data jsonb)`,
    [org_id, approval_id, meta, JSON.stringify(events)],
  );
  await harness.pool.query(
    `INSERT INTO event_value (org_id, event_id, approval_id, name, value)
     SELECT $1, event_id, $2, 'reason', $3 FROM unnest($4::text[]) AS event_id`,
    [org_id, approval_id, worst, events.map(({ event_id }) => event_id)],
  );
}

it('a person cannot vote and withdraw without limit', async () => {
  const org = newId('org');
  const [item, anna] = await Promise.all([open(org), harness.member(org)]);
  for (let round = 0; round < 10; round++) {
    await approve(item, anna);
    await withdraw(item, anna);
  }
  await approve(item, anna);
  await expect(withdraw(item, anna)).rejects.toMatchObject({ code: 'TOO_MANY_WITHDRAWALS' });
  const { votes, history } = await view(item);
  expect(votes).toMatchObject([{ member_id: anna.member_id, reason: worst }]);
  expect(history.at(-1)).toMatchObject({ type: 'approval.vote_cast', reason: worst });
});

it('a request with more reasons than fit a message is read, listed and decided', async () => {
  const org = newId('org');
  const metadata = JSON.stringify({ text: 'x'.repeat(250 * 1024) });
  const [item, anna, ben] = await Promise.all([
    open(org, { metadata }),
    harness.member(org),
    harness.member(org),
  ]);
  await wentBackAndForth(item, anna.member_id, 250);
  await approve(item, anna);
  const seen = await view(item);
  expect(seen.history.length).toBeGreaterThan(5);
  expect(seen.history.at(-1)).toMatchObject({ type: 'approval.vote_cast', reason: worst });
  expect(seen).toMatchObject({ history_truncated: true, votes: [{ reason: worst }] });
  const { approvals } = await list(org);
  expect(approvals).toMatchObject([
    { id: item.approval_id, history: [], history_truncated: true, votes: [{ reason: null }] },
  ]);
  const denied = (await harness.n.client.request(commands.deny, {
    ...decision(item, ben),
    reason: worst,
  })) as ApprovalView;
  expect(denied).toMatchObject({ status: 'denied', reason: worst, history_truncated: true });
  expect(denied.history.at(-1)).toMatchObject({ type: 'approval.denied' });
});

it('a short history is not truncated', async () => {
  const org = newId('org');
  const [item, anna] = await Promise.all([open(org), harness.member(org)]);
  await approve(item, anna);
  expect(await view(item)).toMatchObject({
    history: [{ type: 'approval.opened' }, { type: 'approval.vote_cast', reason: worst }],
    history_truncated: false,
  });
});

it.each([
  ['the queue', { status: 'pending' as const }],
  ['all', {}],
])('pages of %s end where a message is full, and leave nothing out', async (_, filter) => {
  const org = newId('org');
  const metadata = JSON.stringify({ text: 'x'.repeat(200 * 1024) });
  const items = await Promise.all(
    Array.from({ length: 7 }, (_, i) => open(org, i === 3 ? {} : { metadata })),
  );
  const found: string[] = [];
  for (let cursor: string | null = null, pages = 0; pages === 0 || cursor !== null; pages++) {
    const { approvals, next_cursor } = await list(org, { ...filter, cursor });
    found.push(...approvals.map(({ id }) => id));
    cursor = next_cursor;
  }
  expect([...found].sort()).toEqual(items.map(({ approval_id }) => approval_id).sort());
});
