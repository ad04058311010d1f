import { content } from '../../test/policy-fixture.js';
import { type Seatable, unfillableSeats } from './unfillable-quorum.js';

const member = (member_id: string, changes: Partial<Seatable> = {}): Seatable => ({
  member_id,
  role: 'member',
  groups: [],
  ...changes,
});
const anna = member('anna', { role: 'admin', groups: ['legal'] });
const ben = member('ben', { groups: ['legal', 'security'] });
const carl = member('carl', { role: 'viewer', groups: ['security'] });
const everybody = [anna, ben, carl];
const asks = (changes: Parameters<typeof content>[0]) =>
  unfillableSeats(content({ effect: 'require_approval', ...changes }), everybody, []);
const groups = (...seats: [string, number][]) => ({
  approver_groups: seats.map(([group, count]) => ({ group, count })),
});

it('gives no warning when the members can fill the quorum', () => {
  expect(asks({})).toEqual([]);
  expect(asks({ approvals_required: 2 })).toEqual([]);
  expect(asks(groups(['legal', 1], ['security', 1]))).toEqual([]);
  expect(asks({ separation_of_duties: true })).toEqual([]);
});

it('gives no warning for a policy without approval', () => {
  for (const changes of [{ effect: 'allow' }, { active: false }, { mode: 'shadow' }] as const)
    expect(asks({ approvals_required: 9, ...changes })).toEqual([]);
});

it('counts the members who may decide', () => {
  expect(asks({ approvals_required: 3 })).toEqual(['3 people must approve, but only 2 may.']);
  expect(asks(groups(['nobody', 1]))).toEqual([
    '1 person of "nobody" must approve, but nobody in it may.',
    '1 person must approve, but nobody may.',
  ]);
  expect(asks(groups(['security', 2]))[0]).toBe('2 people of "security" must approve, but only 1 in it may.');
});

it('gives no member two seats', () => {
  const dave = member('dave', { groups: ['other'] });
  const policy = content({
    effect: 'require_approval',
    ...groups(['legal', 1], ['security', 1], ['other', 1]),
  });
  const both = member('both', { groups: ['legal', 'security'] });
  const spare = member('spare', { groups: ['other'] });
  expect(unfillableSeats(policy, [both, dave, spare], [])).toEqual([
    'Every seat of a group needs a person of its own, but too many of them are in the same groups.',
  ]);
});

it('counts for agents without an owner when duties are separated', () => {
  const policy = content({ effect: 'require_approval', separation_of_duties: true });
  expect(unfillableSeats(policy, everybody, ['anna'])).toEqual([
    expect.stringMatching(/^Requests of agents without/),
  ]);
  expect(unfillableSeats(policy, everybody, ['ben'])).toEqual([]);
});
