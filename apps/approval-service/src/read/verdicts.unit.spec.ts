import { fold } from '@agentlattice/decider';
import { at, deadline, person, voted, voteOf, wasOpened } from '../../test/approval-scenario.js';
import type { ApprovalEvent, KnownApproval } from '../domain/approval.js';
import { approvalDecider } from '../domain/approval-decider.js';
import type { Person } from '../domain/may-decide.js';
import { Verdicts } from './verdicts.js';
import { Viewer } from './viewers.js';

const stateOf = (...events: ApprovalEvent[]) => fold(approvalDecider, events) as KnownApproval;
const operator = {
  member_id: 'mbr_01jd7e5sqcfnmrq9yh4qvxw2k3',
  key_id: null,
  role: 'member',
  via: 'dashboard',
} as const;
const viewer = (by: Person, now: Date) =>
  Viewer.find({ person: () => Promise.resolve(by) }, 'org', operator, now);

it('a remembered verdict ends with the deadline, and comes back with a clock that was set back', async () => {
  const verdicts = new Verdicts();
  const mia = person();
  const state = stateOf(wasOpened());
  const canDecide = async (now: Date) => verdicts.of(await viewer(mia, now))(state);
  expect(await canDecide(deadline)).toBe(false);
  expect(await canDecide(at(1_000))).toBe(true);
  expect(await canDecide(deadline)).toBe(false);
});

it('a remembered verdict is of one state and of one person as they are now', async () => {
  const verdicts = new Verdicts();
  const mia = person({ groups: ['release'] });
  const terms = { approvals_required: 2, approver_groups: [{ group: 'release', count: 1 }] };
  const canDecide = async (state: KnownApproval, by: Person) =>
    verdicts.of(await viewer(by, at(1_000)))(state);
  const open = stateOf(wasOpened(terms));
  expect(await canDecide(open, mia)).toBe(true);
  expect(await canDecide(stateOf(wasOpened(terms), voted(voteOf(mia), [1, 2])), mia)).toBe(false);
  expect(await canDecide(open, { ...mia, groups: [] })).toBe(false);
  expect(await canDecide(open, { ...mia, role: 'viewer' })).toBe(false);
  expect(await canDecide(open, mia)).toBe(true);
});
