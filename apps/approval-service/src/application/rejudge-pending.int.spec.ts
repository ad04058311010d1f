import { type CommandRequest, policyEngineCommands } from '@agentlattice/contracts';
import { EventStore } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import { eventually } from '@agentlattice/testkit';
import { logger, newId } from '../../test/approval-fixture.js';
import { allows, asks, denies, type FakeJudgement, policyRef } from '../../test/fake-policy-engine.js';
import { many, type PolicyChangeHarness, policyChangeHarness } from '../../test/policy-change-harness.js';
import { makeApplyJudgements } from './apply-judgements.js';
import { makeRejudgePending } from './rejudge-pending.js';

type Items = CommandRequest<(typeof policyEngineCommands)['rejudge']>['items'];

/** A run of another replica, whose engine answers when the test says so. */
function otherReplica(h: PolicyChangeHarness) {
  const asked: { items: Items; answer: (judgement: FakeJudgement) => void }[] = [];
  const run = makeRejudgePending({
    pool: h.pool,
    apply: makeApplyJudgements({
      pool: h.pool,
      store: new EventStore(h.pool),
      grantTtlSeconds: 900,
      logger,
    }),
    commands: {
      request: (_command: unknown, { items }: { items: Items }) =>
        new Promise((resolve) =>
          asked.push({
            items,
            answer: (judgement) =>
              resolve({ judgements: items.map(({ approval_id }) => ({ approval_id, ...judgement })) }),
          }),
        ),
    } as unknown as CommandClient,
    nc: { publish: () => {} },
    onPolicyReplaced: () => {},
    logger,
  });
  return { asked, run };
}

describe('judging pending requests again', () => {
  let h: PolicyChangeHarness;
  beforeAll(async () => {
    h = await policyChangeHarness();
  });
  beforeEach(() => h.reset());
  afterAll(() => h.stop());

  /** A change that concerns the requests, noted while the service under test judges nothing. */
  async function claimedByOther(org: string, count: number) {
    const items = many(org, count);
    await h.opened(...items);
    h.engine.away();
    await h.engine.change(org, 'policy.updated');
    await h.noted(org);
    const other = otherReplica(h);
    await eventually(async () => {
      void other.run();
      await eventually(() => other.asked.length > 0, { within: 500 });
      return true;
    });
    return { items, other };
  }
  const expire = (org: string) =>
    h.pool.query('UPDATE rejudging SET claimed_until = clock_timestamp() WHERE org_id = $1', [org]);

  it('is done by another replica when one dies between its claim and its answer', async () => {
    const org = newId('org');
    const { items } = await claimedByOther(org, 3);
    h.engine.judge = () => allows();
    await h.engine.back();
    // The other replica never comes back; its claim expires.
    await eventually(
      async () => (await Promise.all(items.map(h.statusOf))).every((status) => status === 'approved'),
      { within: 30_000 },
    );
    await h.settled(org);
    expect(await h.events(org)).toHaveLength(items.length);
  });

  it('applies nothing of an answer that arrives after its claim was lost', async () => {
    const org = newId('org');
    const { items, other } = await claimedByOther(org, 2);
    const governing = policyRef({ name: 'stricter' });
    h.engine.judge = () => asks(governing, { approvals_required: 3 });
    await expire(org);
    await h.engine.back();
    await h.settled(org);
    const before = await h.events(org);
    expect(before.map(({ type }) => type)).toEqual(items.map(() => 'approval.policy_changed'));
    for (const { answer } of other.asked) answer(allows());
    await other.run();
    expect(await h.events(org)).toEqual(before);
    for (const item of items) expect(await h.statusOf(item)).toBe('pending');
  });

  it('applies nothing of an answer that is older than a newer change, even if that change is not spread yet', async () => {
    const org = newId('org');
    const { items, other } = await claimedByOther(org, 1);
    const [item] = items;
    if (item === undefined) throw new Error('there is an item');
    await h.pool.query(
      `INSERT INTO policy_change (org_id, event_id, type, policy_id, policy_name, policy_version, pattern, on_removed, governs)
       VALUES ($1, $2, 'policy.created', $3, 'newer', 1, 'deploy.*', 'deny', true)`,
      [org, newId('evt'), newId('pol')],
    );
    h.engine.judge = () => denies();
    for (const { answer } of other.asked) answer(allows());
    await h.engine.back();
    await eventually(async () => (await h.statusOf(item)) === 'denied');
    expect(await h.typesOf(item)).toEqual(['approval.opened', 'approval.denied']);
  });
});
