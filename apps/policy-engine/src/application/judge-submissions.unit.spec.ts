import { appendSubject, type SubmissionItem, unavailableReplySubject } from '@agentlattice/contracts';
import { submission } from '../../test/engine-fixture.js';
import { stored } from '../../test/policy-fixture.js';
import { policySet } from '../domain/select-policy.js';
import { JudgeSubmissions } from './judge-submissions.js';

const dear = policySet([
  stored({
    action_type: 'dear',
    effect: 'conditional',
    condition_expression: 'metadata.n.all(x, metadata.n.all(y, metadata.n.all(z, x + y + z >= 0)))',
  }),
]);
const plain = policySet([stored({ action_type: 'plain', effect: 'allow' })]);
const metadata = JSON.stringify({ n: Array.from({ length: 300 }, (_, i) => i) });

function harness(fresh = true, answers = fresh) {
  const told: { subject: string; item_id: string }[] = [];
  let looks = 0;
  const submissions = new JudgeSubmissions(
    {
      fresh: () => fresh,
      becomesFresh: () => {
        looks += 1;
        fresh = answers;
        return Promise.resolve(fresh);
      },
      of: (org) => (org === 'org_dear' ? dear : plain),
      delegations: new Map(),
      now: () => Date.UTC(2026, 0, 1),
    },
    (subject, items) => {
      for (const item of items as { item_id: string }[]) told.push({ subject, item_id: item.item_id });
    },
  );
  return { told, submissions, looks: () => looks };
}
const item = (org_id: string, item_id: string): SubmissionItem => ({
  ...submission(org_id, { action_type: org_id === 'org_dear' ? 'dear' : 'plain', metadata }),
  item_id,
});
const soon = () => ({ expiresAt: Date.now() + 60_000 });

describe('judging submissions', () => {
  it('lets workspaces take turns, so that expensive items delay items of their own workspace', async () => {
    const { told, submissions } = harness();
    const heavy = submissions.judge(
      Array.from({ length: 40 }, (_, i) => item('org_dear', `d${String(i)}`)),
      soon(),
    );
    const light = submissions.judge([item('org_plain', 'p0'), item('org_plain', 'p1')], soon());
    await light;
    const places = ['p0', 'p1'].map((id) => told.findIndex(({ item_id }) => item_id === id));
    expect(Math.max(...places)).toBeLessThan(20);
    await heavy;
    expect(told).toHaveLength(42);
    expect(told.every(({ subject }) => subject === appendSubject)).toBe(true);
  });

  it("refuses items beyond a workspace's limit, and none of another workspace", async () => {
    const { told, submissions } = harness();
    const first = submissions.judge(
      Array.from({ length: 2_100 }, (_, i) => item('org_dear', `d${String(i)}`)),
      { expiresAt: 0 },
    );
    await submissions.judge([item('org_plain', 'p')], soon());
    await first;
    const refused = unavailableReplySubject(item('org_dear', 'd').gateway);
    expect(told.filter(({ subject }) => subject === refused)).toHaveLength(2_100);
    expect(told.find(({ item_id }) => item_id === 'p')?.subject).toBe(appendSubject);
  });

  it('judges nothing by policies that may be out of date', async () => {
    const { told, submissions } = harness(false);
    await submissions.judge([item('org_plain', 'p')], soon());
    expect(told.map(({ subject }) => subject)).toEqual([
      unavailableReplySubject(item('org_plain', 'p').gateway),
    ]);
  });

  it('has the revision read once for all batches that come first after a pause', async () => {
    const { told, submissions, looks } = harness(false, true);
    const first = submissions.judge([item('org_plain', 'p0')], soon());
    expect(told).toEqual([]);
    await Promise.all([first, submissions.judge([item('org_plain', 'p1')], soon())]);
    expect(told.map(({ subject }) => subject)).toEqual([appendSubject, appendSubject]);
    await submissions.judge([item('org_plain', 'p2')], soon());
    expect(looks()).toBe(1);
  });
});
