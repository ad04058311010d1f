import { approvalServiceCommands as commands, gatewayCommands, type OpenItem } from '@agentlattice/contracts';
import { respondTo } from '@agentlattice/messaging';
import { eventually } from '@agentlattice/testkit';
import type { Subscription } from '@nats-io/transport-node';
import { typeid } from 'typeid-js';
import { logger, newId, requested } from '../test/approval-fixture.js';
import { asks } from '../test/fake-policy-engine.js';
import { type PolicyChangeHarness, policyChangeHarness } from '../test/policy-change-harness.js';

let harness: PolicyChangeHarness;
let talking: Subscription[] = [];
/** Reasons by event, and the event that suspends each agent, as the gateway knows them. */
const reasons = new Map<string, string>();
const suspendedBy = new Map<string, string>();

beforeAll(async () => {
  // For every replica.
  process.env['GRANT_TTL'] = '15s';
  harness = await policyChangeHarness();
  talk();
});
afterAll(async () => {
  delete process.env['GRANT_TTL'];
  await harness.stop();
});

/** The gateway's part. */
function talk(): void {
  const own = { queue: 'gateway', logger };
  talking = [
    respondTo(harness.n.gateway, {
      ...own,
      command: gatewayCommands.erasable_values,
      handler: (payload) => {
        const { events } = gatewayCommands.erasable_values.request.parse(payload);
        return {
          answered: events.map(({ event_id }) => event_id),
          values: events.flatMap(({ event_id }) => {
            const reason = reasons.get(event_id);
            return reason === undefined ? [] : [{ event_id, reason, note: null }];
          }),
        };
      },
    }),
    respondTo(harness.n.gateway, {
      ...own,
      command: gatewayCommands.agent_standing,
      handler: (payload) => {
        const { agent_id } = gatewayCommands.agent_standing.request.parse(payload);
        const event = suspendedBy.get(agent_id) ?? null;
        return { suspended: event !== null, suspended_by: event };
      },
    }),
  ];
}
const fallSilent = () => talking.forEach((subscription) => subscription.unsubscribe());

const org = newId('org');
const newAgent = () => ({ id: newId('agt'), name: 'builder', owner_member_id: null });
const ask = async (agent: OpenItem['agent'], changes: Partial<OpenItem> = {}) => {
  const item = requested(org, 60_000, { agent, ...changes });
  const one = { ...item, terms: { ...item.terms, approvals_required: 1 } };
  await harness.opened(one);
  return one;
};
const turn = async (
  type: 'agent.suspended' | 'agent.resumed',
  { id, name }: OpenItem['agent'],
  at = new Date(),
  pending = 'cancel',
) => {
  const [event] = harness.gateway.keep({
    org_id: org,
    stream_id: id,
    type,
    occurred_at: at,
    data: { agent: { id, name }, ...(type === 'agent.suspended' ? { pending } : {}) },
  });
  if (event === undefined) throw new Error('an event was kept');
  // As the gateway makes them.
  (event as { event_id: string }).event_id = typeid('evt').toString();
  if (type === 'agent.suspended') suspendedBy.set(id, event.event_id);
  else suspendedBy.delete(id);
  return event;
};
const statusOf = (item: OpenItem) => harness.statusOf(item);

it('cancels open requests once, however often the event is delivered; with `pending: keep` they stay open', async () => {
  const [agent, patient] = [newAgent(), newAgent()];
  const [mine, also, kept] = [await ask(agent), await ask(agent), await ask(patient)];
  const event = await turn('agent.suspended', agent);
  reasons.set(event.event_id, 'too loud');
  const other = await turn('agent.suspended', patient, new Date(), 'keep');
  await harness.gateway.publish(event, other, event);
  await eventually(
    async () => (await statusOf(mine)) === 'cancelled' && (await statusOf(also)) === 'cancelled',
  );
  expect(await harness.typesOf(mine)).toEqual(['approval.opened', 'approval.cancelled']);
  expect(await harness.view(mine)).toMatchObject({
    reason: 'too loud',
    resolved_by: null,
    denial_reason: 'CANCELLED',
  });
  const { rows } = await harness.pool.query(`SELECT data::text AS data FROM event WHERE stream_id = $1`, [
    mine.approval_id,
  ]);
  expect(JSON.stringify(rows)).toContain(event.event_id);
  expect(JSON.stringify(rows)).not.toContain('too loud');
  expect(harness.n.wakes).toContain(mine.approval_id);
  expect(await statusOf(kept)).toBe('pending');
});

it('cancels once the gateway is back and gives the reason', async () => {
  const agent = newAgent();
  const mine = await ask(agent);
  fallSilent();
  const event = await turn('agent.suspended', agent);
  reasons.set(event.event_id, 'given before it died');
  await harness.gateway.publish(event);
  await eventually(
    async () =>
      ((await harness.pool.query('SELECT FROM agent_suspension WHERE agent_id = $1', [agent.id])).rowCount ??
        0) > 0,
  );
  expect(await statusOf(mine)).toBe('pending');
  talk();
  await eventually(async () => (await statusOf(mine)) === 'cancelled');
  expect(await harness.view(mine)).toMatchObject({ reason: 'given before it died' });
});

it('cancels a request from before that is opened late; one from after the agent was resumed stays open', async () => {
  const agent = newAgent();
  const [began, ended] = [new Date(Date.now() - 10_000), new Date(Date.now() - 5_000)];
  const suspended = await turn('agent.suspended', agent, began);
  await harness.gateway.publish(suspended);
  const within = await ask(agent, { requested_at: new Date(Date.now() - 7_000).toISOString() });
  await eventually(async () => (await statusOf(within)) === 'cancelled');
  // The gateway has resumed it, and the event has not arrived here yet.
  const resumed = await turn('agent.resumed', agent, ended);
  const after = await ask(agent, { requested_at: new Date(Date.now() - 1_000).toISOString() });
  const before = await ask(agent, { requested_at: new Date(Date.now() - 20_000).toISOString() });
  await eventually(async () => (await statusOf(before)) === 'cancelled');
  expect(await statusOf(after)).toBe('pending');
  await harness.gateway.publish(resumed);
  const late = await ask(agent, { requested_at: new Date(Date.now() - 9_000).toISOString() });
  await eventually(async () => (await statusOf(late)) === 'cancelled');
  expect(await statusOf(after)).toBe('pending');
});

describe('a grant that is consumed', () => {
  const granted = async (agent = newAgent()) => {
    const item = await ask(agent);
    const operator = await harness.member(org);
    const one = { org_id: org, approval_id: item.approval_id };
    await harness.n.client.request(commands.approve, {
      ...one,
      operator,
      reason: 'fine',
      correlation_id: null,
      forever_for: null,
      policy_version: null,
    });
    const { grant } = await harness.n.client.request(commands.approval_status, {
      ...one,
      agent_id: agent.id,
    });
    return { item, agent, grant: grant ?? '' };
  };
  const consume = ({ grant, agent, item }: Awaited<ReturnType<typeof granted>>) =>
    harness.n.client.request(commands.consume_grant, {
      org_id: org,
      grant,
      action_digest: item.action_digest,
      agent_id: agent.id,
      key_id: null,
      correlation_id: null,
    });
  beforeEach(() => {
    harness.reset();
    harness.engine.judge = () => asks();
  });

  it('is given to one of a hundred callers, also with several replicas, and leaves the request as it ended', async () => {
    await harness.replica();
    const use = await granted();
    const before = await harness.view(use.item);
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => consume(use)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected')
        // On a slow machine some get a time-out: for them nothing was consumed either.
        expect(['GRANT_CONSUMED', 'UNAVAILABLE']).toContain((outcome.reason as { code?: unknown }).code);
    expect(await harness.typesOf(use.item)).toEqual([
      'approval.opened',
      'approval.approved',
      'approval.grant_consumed',
    ]);
    const { history: _, ...ended } = before;
    expect(await harness.view(use.item)).toMatchObject(ended);
    const { rows } = await harness.pool.query('SELECT to_jsonb(e) AS e FROM event e WHERE stream_id = $1', [
      use.item.approval_id,
    ]);
    expect(JSON.stringify(rows)).not.toContain(use.grant.split('.')[2]);
  });

  it('is judged by the time of the consumption, and refused to a suspended agent', async () => {
    const use = await granted();
    suspendedBy.set(use.agent.id, newId('evt'));
    await expect(consume(use)).rejects.toMatchObject({ code: 'AGENT_SUSPENDED' });
    suspendedBy.delete(use.agent.id);
    await consume(use);
    const asked = harness.engine.asked
      .flat()
      .filter(({ approval_id }) => approval_id === use.item.approval_id);
    expect(asked).toHaveLength(2);
    for (const { judged_at } of asked)
      expect(Date.parse(judged_at)).toBeGreaterThan(Date.parse(use.item.judged_at));
  });

  it('is refused once it has expired, by the database’s clock', async () => {
    const use = await granted();
    fallSilent();
    // The services that it must ask are unreachable: nothing is consumed, until no question is left.
    await expect(consume(use)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await eventually(
      () =>
        consume(use).then(
          () => false,
          (error: unknown) => (error as { code?: unknown }).code === 'GRANT_EXPIRED',
        ),
      { within: 60_000 },
    );
    talk();
    expect(await harness.typesOf(use.item)).toEqual(['approval.opened', 'approval.approved']);
  });
});
