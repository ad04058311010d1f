import { eventually } from '@agentlattice/testkit';
import { newId, requested } from '../test/approval-fixture.js';
import { asks, policyRef } from '../test/fake-policy-engine.js';
import { many, type PolicyChangeHarness, policyChangeHarness } from '../test/policy-change-harness.js';

let h: PolicyChangeHarness;
beforeAll(async () => (h = await policyChangeHarness()));
beforeEach(() => h.reset());
afterAll(() => h.stop());

const legal = { approver_groups: [{ group: 'legal', count: 1 }], on_no_approver: 'deny' } as const;
const termsOf = () => ({ ...legal, approver_groups: [...legal.approver_groups] });
const members = (org: string, count: number) =>
  eventually(async () => {
    const { rows } = await h.pool.query('SELECT FROM member WHERE org_id = $1', [org]);
    return rows.length === count;
  });
const step = { after: '5m', contacts: [], channels: [], repeat: null };

it('a change of policy after which no person can decide denies the request, or escalates it', async () => {
  const org = newId('org');
  await h.member(org);
  await members(org, 1);
  const [denied] = many(org, 1, { action_type: 'a.denied' });
  const [escalated] = many(org, 1, {
    action_type: 'a.escalated',
    terms: { ...requested(org).terms, approvals_required: 1, escalation: [step] },
  });
  if (denied === undefined || escalated === undefined) throw new Error('there are items');
  await h.opened(
    { ...denied, terms: { ...denied.terms, approvals_required: 1 } },
    { ...escalated, terms: { ...escalated.terms, escalation: [step] } },
  );
  expect(await h.statusOf(denied)).toBe('pending');
  const governs = policyRef();
  h.engine.judge = ({ action_type }) =>
    asks(governs, action_type === 'a.denied' ? termsOf() : { ...termsOf(), on_no_approver: 'escalate' });
  await h.engine.change(org, 'policy.created', governs, { action_type: 'a.*' });
  await eventually(async () => (await h.statusOf(denied)) === 'denied');
  expect(await h.view(denied)).toMatchObject({ denial_reason: 'NO_ELIGIBLE_APPROVER', resolved_by: null });
  expect(h.n.wakes).toContain(denied.approval_id);
  await eventually(async () => (await h.statusOf(escalated)) === 'escalated');
});

it('a request is checked again if it was unknown at its opening whether anyone can decide it', async () => {
  const org = newId('org');
  const item = { ...requested(org), terms: { ...requested(org).terms, ...termsOf() } };
  // No member of this workspace is known yet.
  await h.opened(item);
  expect(await h.typesOf(item)).toEqual(['approval.opened']);
  expect(h.n.answers.get(item.item_id)?.[0]?.outcome?.eligible_approvers).toBeNull();
  await h.member(org);
  await eventually(async () => (await h.statusOf(item)) === 'denied', { within: 60_000 });
  expect(await h.view(item)).toMatchObject({ denial_reason: 'NO_ELIGIBLE_APPROVER' });
}, 90_000);

it('a request that a person can decide stays open', async () => {
  const org = newId('org');
  await h.member(org, { groups: ['legal'] });
  await members(org, 1);
  const [item] = many(org, 1);
  if (item === undefined) throw new Error('there is an item');
  await h.opened({ ...item, terms: { ...item.terms, approvals_required: 1 } });
  h.engine.judge = () => asks(policyRef(), { ...termsOf(), approvals_required: 1 });
  await h.engine.change(org, 'policy.created');
  await eventually(async () => (await h.typesOf(item)).includes('approval.policy_changed'));
  await h.settled(org);
  expect(await h.statusOf(item)).toBe('pending');
});

it('the answer says how many members may decide', async () => {
  const org = newId('org');
  await h.member(org, { groups: ['legal'] });
  await h.member(org, { groups: ['sales'] });
  await h.member(org, { role: 'viewer', groups: ['legal'] });
  await members(org, 3);
  const anybody = requested(org);
  const lawyers = { ...requested(org), terms: { ...anybody.terms, ...termsOf(), approvals_required: 1 } };
  await h.opened(anybody, lawyers);
  const eligible = (id: string) => h.n.answers.get(id)?.[0]?.outcome?.eligible_approvers;
  expect([anybody, lawyers].map(({ item_id }) => eligible(item_id))).toEqual([2, 1]);
});
