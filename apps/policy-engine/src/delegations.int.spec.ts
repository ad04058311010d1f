import { policyEngineCommands as commands, type SubmissionItem } from '@agentlattice/contracts';
import { eventually } from '@agentlattice/testkit';
import { typeid } from 'typeid-js';
import { type EngineFixture, newOrg, refusal, submission } from '../test/engine-fixture.js';
import { type EngineHarness, startEngineHarness } from '../test/engine-harness.js';

let harness: EngineHarness;
let f: EngineFixture;

beforeAll(async () => {
  harness = await startEngineHarness();
  ({ f } = harness);
});
afterAll(() => harness.stop());

interface Someone {
  readonly id: string;
  readonly name: string;
  /** The delegations that it lives by, the first one first. */
  readonly chain: readonly string[];
  readonly above: readonly { readonly id: string; readonly name: string }[];
}
const newAgent = (): Someone => ({ id: typeid('agt').toString(), name: 'agent', chain: [], above: [] });

async function delegate(
  org_id: string,
  parent: Someone,
  { capabilities = ['db.*'], ttl_seconds = 600 } = {},
): Promise<Someone> {
  const child = { id: typeid('agt').toString(), name: 'child' };
  const delegation_id = typeid('del').toString();
  await f.client.request(commands.create_delegation, {
    org_id,
    actor: { kind: 'agent', id: parent.id, key_id: null, via: 'api' },
    correlation_id: 'req-1',
    delegation_id,
    parent: { id: parent.id, name: parent.name },
    parent_delegation_id: parent.chain.at(-1) ?? null,
    child,
    capabilities,
    ttl_seconds,
  });
  return {
    ...child,
    chain: [...parent.chain, delegation_id],
    above: [...parent.above, { id: parent.id, name: parent.name }],
  };
}
const ownOf = ({ chain }: Someone) => chain.at(-1) ?? '';
const revoke = (org_id: string, agent: Someone) =>
  f.client.request(commands.revoke_delegation, {
    org_id,
    actor: { kind: 'operator', id: 'mbr_x', key_id: null, via: 'api' },
    correlation_id: 'req-1',
    delegation_id: ownOf(agent),
    agent_id: null,
  });
const asking = (agent: Someone): Pick<SubmissionItem, 'agent' | 'delegation_id'> => ({
  agent: {
    id: agent.id,
    name: agent.name,
    owner_member_id: null,
    suspended: false,
    delegation: {
      id: ownOf(agent),
      ancestors: agent.above.map((ancestor) => ({ ...ancestor, owner_member_id: null })),
    },
  },
  delegation_id: ownOf(agent),
});
async function verdictOn(org_id: string, agent: Someone, action_type = 'db.read') {
  const item = submission(org_id, { ...asking(agent), action_type });
  f.submit(item);
  const appended = await eventually(() => f.appended.get(item.item_id));
  return appended.verdict.denial_reason ?? appended.verdict.decision;
}
/** What each replica judges by. */
const live = (agent: Someone) => f.engines.map(({ policies }) => policies.delegations.has(ownOf(agent)));
const eventsOf = async (org_id: string) =>
  (await f.replay(org_id)).events.filter(({ type }) => type.startsWith('delegation.'));

describe('delegations', () => {
  it('are known to every replica, and their end as well; each below a revoked one has its event', async () => {
    const org = newOrg();
    await f.create(org, { action_type: 'db.*', effect: 'allow' });
    const root = newAgent();
    const child = await delegate(org, root);
    const grandchild = await delegate(org, child, { capabilities: ['db.read'] });
    const other = await delegate(org, root);
    await eventually(() => [child, grandchild, other].flatMap(live).every(Boolean));
    await eventually(() => f.governs(org, 'db.read').every((version) => version === 1));
    expect(await verdictOn(org, grandchild)).toBe('executed');
    expect(await verdictOn(org, grandchild, 'db.write')).toBe('DELEGATION_SCOPE');
    expect(await revoke(org, child)).toEqual({ revoked: true, delegation_id: ownOf(child) });
    await eventually(() => [child, grandchild].flatMap(live).every((known) => !known));
    expect(await verdictOn(org, grandchild)).toBe('DELEGATION_SCOPE');
    expect(await verdictOn(org, other)).toBe('executed');
    const events = await eventsOf(org);
    expect(events.map(({ type, stream_id, data }) => [type, stream_id, data['revoked_with']])).toEqual([
      ['delegation.created', ownOf(child), undefined],
      ['delegation.created', ownOf(grandchild), undefined],
      ['delegation.created', ownOf(other), undefined],
      ['delegation.revoked', ownOf(child), null],
      ['delegation.revoked', ownOf(grandchild), ownOf(child)],
    ]);
    expect(events[1]?.data).toMatchObject({
      acting_for: [
        { id: root.id, name: root.name },
        { id: child.id, name: child.name },
      ],
      above: [ownOf(child)],
      capabilities: ['db.read'],
    });
  });

  it('are known after a restart, without those that ended', async () => {
    const org = newOrg();
    const root = newAgent();
    const [kept, ended] = [await delegate(org, root), await delegate(org, root)];
    await revoke(org, ended);
    await f.stopEngines();
    await f.startEngines();
    await eventually(() => live(kept).every(Boolean));
    expect(live(ended)).toEqual([false, false]);
  });

  it('are over by the time of the database, whether the sweep has recorded it or not', async () => {
    const org = newOrg();
    await f.create(org, { action_type: 'db.*', effect: 'allow' });
    const child = await delegate(org, newAgent(), { ttl_seconds: 1 });
    await eventually(async () => (await verdictOn(org, child)) === 'DELEGATION_SCOPE');
    const standing = await f.client.request(commands.delegation_standing, {
      org_id: org,
      delegation_id: ownOf(child),
    });
    expect(standing).toEqual({ live: false });
    await eventually(async () => (await eventsOf(org)).some(({ type }) => type === 'delegation.expired'));
    expect(await revoke(org, child)).toMatchObject({ revoked: false });
    expect((await eventsOf(org)).map(({ type }) => type)).toEqual([
      'delegation.created',
      'delegation.expired',
    ]);
  });

  it('are never made below one that is being revoked', async () => {
    const org = newOrg();
    const root = newAgent();
    for (let round = 0; round < 5; round++) {
      const child = await delegate(org, root);
      const made = Array.from({ length: 6 }, () => delegate(org, child));
      const [, results] = await Promise.all([revoke(org, child), Promise.allSettled(made)]);
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'DELEGATION_SCOPE' });
    }
    const { rows } = await f.admin.query(
      `SELECT c.delegation_id FROM delegation c JOIN delegation p ON p.delegation_id = c.parent_id
        WHERE c.org_id = $1 AND c.ended_at IS NULL AND p.ended_at IS NOT NULL`,
      [org],
    );
    expect(rows).toEqual([]);
  });

  it('are limited in depth, and in number below one agent, also when they are made at the same time', async () => {
    const org = newOrg();
    let agent = newAgent();
    for (let depth = 1; depth <= 8; depth++) agent = await delegate(org, agent);
    expect(await refusal(delegate(org, agent))).toMatchObject({ code: 'DELEGATION_LIMIT' });

    const root = newAgent();
    const first = await delegate(org, root);
    // As many as are allowed but three.
    await f.admin.query(
      `INSERT INTO delegation (delegation_id, org_id, agent_id, agent_name, parent_agent_id, root_agent_id, above, capabilities,
                               created_at, expires_at)
       SELECT 'del_' || n, $1, 'agt_' || n, 'many', $2, $2, '{}', '{db.read}', now(), now() + interval '1 hour'
         FROM generate_series(1, 996) AS n`,
      [org, root.id],
    );
    const made = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) => delegate(org, n % 2 === 0 ? root : first)),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    for (const result of made)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'DELEGATION_LIMIT' });
    // One that ends makes room for another.
    await revoke(org, first);
    await delegate(org, root);
  });

  it('of another workspace do not exist', async () => {
    const [org, other] = [newOrg(), newOrg()];
    const child = await delegate(org, newAgent());
    await f.create(other, { action_type: 'db.*', effect: 'allow' });
    await eventually(() => f.governs(other, 'db.read').every((version) => version === 1));
    expect(await verdictOn(other, child)).toBe('DELEGATION_SCOPE');
    expect(await refusal(revoke(other, child))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refusal(delegate(other, child))).toMatchObject({ code: 'DELEGATION_SCOPE' });
  });

  it('count when a grant is used or a pending request is judged again', async () => {
    const org = newOrg();
    await f.create(org, { action_type: 'db.*', effect: 'allow' });
    const child = await delegate(org, newAgent(), { capabilities: ['db.read'] });
    const again = async (action_type: string) => {
      const { suspended: _, ...agent } = asking(child).agent;
      const { judgements } = await f.judgeAgain(org, {
        approval_id: typeid('apr').toString(),
        agent,
        action_type,
        metadata: '{}',
        data_accessed: '[]',
        judged_at: '2026-01-01T00:00:00.000Z',
      });
      return judgements[0]?.denial_reason ?? judgements[0]?.decision;
    };
    expect(await again('db.read')).toBe('executed');
    expect(await again('db.write')).toBe('DELEGATION_SCOPE');
    await revoke(org, child);
    expect(await again('db.read')).toBe('DELEGATION_SCOPE');
  });
});
