import type { RecordedPolicy } from '@agentlattice/contracts';
import { deciderSpec } from '@agentlattice/decider';
import {
  entryFollowsWithinMs,
  findTampering,
  type LedgerFacts,
  type StoredPolicy,
  type Tampering,
} from './tampering.js';
import { tamperingDecider } from './tampering-decider.js';

const id = 'pol_01jd7e5sqcfnmrq9yh4qvxw2k3';
const org_id = 'org_01jd7e5sqcfnmrq9yh4qvxw2k3';
const asOf = Date.UTC(2026, 0, 1);

const stored = (members: Partial<StoredPolicy> = {}, version = 2, hash = 'h2'): StoredPolicy => ({
  ref: { id, name: 'p', version, hash },
  action_type: 'a.*',
  deleted: false,
  gpos: 5,
  writtenAt: asOf - 1_000,
  contradicts: false,
  ...members,
});
const recorded = (members: Partial<RecordedPolicy> = {}): RecordedPolicy => ({
  org_id,
  policy_id: id,
  name: 'p',
  version: 2,
  hash: 'h2',
  action_type: 'a.b',
  deleted: false,
  ...members,
});
const facts = (policy: RecordedPolicy | null, gpos = 10): LedgerFacts => ({
  policies: new Map(policy === null ? [] : [[id, policy]]),
  gpos,
  asOf,
});
const reasons = (policy: StoredPolicy | null, known: LedgerFacts | undefined) =>
  findTampering(new Map(policy === null ? [] : [[id, policy]]), known).map(({ reason }) => reason);

describe('what the database says beside what the log recorded', () => {
  it.each<[string, StoredPolicy | null, LedgerFacts | undefined, string[]]>([
    ['the same', stored(), facts(recorded()), []],
    ['the log was not heard of yet', stored({}, 9, 'other'), undefined, []],
    ['contradicts itself, log or no log', stored({ contradicts: true }), undefined, ['content_differs']],
    ['another hash', stored({}, 2, 'other'), facts(recorded()), ['content_differs']],
    ['an older version', stored({}, 1, 'h1'), facts(recorded()), ['older_version']],
    ['gone', null, facts(recorded()), ['policy_missing']],
    ['gone, and deleted by the log as well', null, facts(recorded({ deleted: true })), []],
    ['deleted here alone', stored({ deleted: true }), facts(recorded()), ['deletion_differs']],
    ['deleted in the log alone', stored(), facts(recorded({ deleted: true })), ['deletion_differs']],
    ['newer, and its place is to come', stored({ gpos: 11 }, 3), facts(recorded()), []],
    ['newer, without a place yet', stored({ gpos: null }, 3), facts(recorded()), []],
    [
      'newer, and the log has passed its place',
      stored({ gpos: 10 }, 3),
      facts(recorded()),
      ['never_recorded'],
    ],
    ['new, and the log has passed its place', stored({ gpos: 10 }, 1), facts(null), ['never_recorded']],
    [
      'newer, and its entry is overdue',
      stored({ gpos: null, writtenAt: asOf - entryFollowsWithinMs - 1 }, 3),
      facts(recorded()),
      ['never_recorded'],
    ],
  ])('%s', (_what, policy, known, expected) => expect(reasons(policy, known)).toEqual(expected));

  it('keeps what the policy governed when it was recorded', () => {
    const [gone] = findTampering(new Map(), facts(recorded()));
    expect(gone).toMatchObject({ recordedPattern: 'a.b', action_type: 'a.b', found: null });
    const [forged] = findTampering(new Map([[id, stored({ gpos: 1 }, 1)]]), facts(null));
    expect(forged).toMatchObject({ recordedPattern: null, action_type: 'a.*', policy: { version: 1 } });
  });
});

describe('a detection', () => {
  const given = deciderSpec(tamperingDecider);
  const policy = { id, name: 'p', version: 2, hash: 'h2' };
  const tampering: Tampering = {
    reason: 'content_differs',
    policy,
    recordedPattern: 'a.b',
    action_type: 'a.b',
    found: { version: 2, hash: 'other' },
  };
  const { recordedPattern: _pattern, ...data } = tampering;
  const detected = { type: 'policy.tampering_detected' as const, data };
  const ended = { type: 'policy.tampering_ended' as const, data: { policy, action_type: 'a.b' } };

  it('is told once while it stands', () => {
    given().when({ type: 'Detected', tampering }).thenEvents(detected);
    given(detected).when({ type: 'Detected', tampering }).thenNothing();
  });
  it('is told again when something else is found, or when it comes back', () => {
    const other = { ...tampering, found: { version: 2, hash: 'third' } };
    given(detected)
      .when({ type: 'Detected', tampering: other })
      .thenEvents({ ...detected, data: { ...data, found: other.found } });
    given(detected, ended).when({ type: 'Detected', tampering }).thenEvents(detected);
  });
  it('ends once', () => {
    given(detected).when({ type: 'Ended' }).thenEvents(ended);
    given(detected, ended).when({ type: 'Ended' }).thenNothing();
    given().when({ type: 'Ended' }).thenNothing();
  });
});
