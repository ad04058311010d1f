import type { RecordedPolicy } from '@agentlattice/contracts';
import { deciderSpec } from '@agentlattice/decider';
import {
  awaitedEntries,
  type AwaitedEntries,
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
const byId = (policy: StoredPolicy | null) => new Map(policy === null ? [] : [[id, policy]]);
/** The findings at a reading of the log, when the engine first saw the version so long before. */
const reasons = (policy: StoredPolicy | null, known: LedgerFacts | undefined, seenForMs = 1_000) => {
  const awaited = awaitedEntries(
    byId(policy),
    known,
    { awaited: undefined, tampered: undefined },
    asOf - seenForMs,
  );
  return findTampering(byId(policy), known, awaited).map(({ reason }) => reason);
};

describe('a stored policy compared with its entry in the log', () => {
  it.each<[string, StoredPolicy | null, LedgerFacts | undefined, string[]]>([
    ['the same', stored(), facts(recorded()), []],
    ['the log was not read yet', stored({}, 9, 'other'), undefined, []],
    ['contradicts itself, log or no log', stored({ contradicts: true }), undefined, ['content_differs']],
    ['another hash', stored({}, 2, 'other'), facts(recorded()), ['content_differs']],
    ['an older version', stored({}, 1, 'h1'), facts(recorded()), ['older_version']],
    ['gone', null, facts(recorded()), ['policy_missing']],
    ['gone, and deleted by the log as well', null, facts(recorded({ deleted: true })), []],
    ['deleted here alone', stored({ deleted: true }), facts(recorded()), ['deletion_differs']],
    ['deleted in the log alone', stored(), facts(recorded({ deleted: true })), ['deletion_differs']],
    ['newer, and its place is to come', stored({ gpos: 11 }, 3), facts(recorded()), []],
    ['newer, without a place', stored({ gpos: null }, 3), facts(recorded()), ['never_recorded']],
    ['new, without a place', stored({ gpos: null }, 1), facts(null), ['never_recorded']],
    ['without a position, before the log was read', stored({ gpos: null }), undefined, ['never_recorded']],
    [
      'deleted, without a place',
      stored({ gpos: null, deleted: true }, 3),
      facts(recorded()),
      ['never_recorded'],
    ],
    ['recorded, its place is lost', stored({ gpos: null }), facts(recorded()), []],
    [
      'newer, and the log has passed its place',
      stored({ gpos: 10 }, 3),
      facts(recorded()),
      ['never_recorded'],
    ],
    ['new, and the log has passed its place', stored({ gpos: 10 }, 1), facts(null), ['never_recorded']],
  ])('%s', (_what, policy, known, expected) => expect(reasons(policy, known)).toEqual(expected));

  it('keeps what the policy governed when it was recorded', () => {
    const [gone] = findTampering(new Map(), facts(recorded()), new Map());
    expect(gone).toMatchObject({ recordedPattern: 'a.b', action_type: 'a.b', found: null });
    const [forged] = findTampering(new Map([[id, stored({ gpos: 1 }, 1)]]), facts(null), new Map());
    expect(forged).toMatchObject({ recordedPattern: null, action_type: 'a.*', policy: { version: 1 } });
    const deletion = byId(stored({ gpos: null, deleted: true }));
    const [deleted] = findTampering(deletion, undefined, new Map());
    expect(deleted).toMatchObject({ recordedPattern: 'a.*', reason: 'never_recorded' });
  });
});

describe('a version whose entry is awaited', () => {
  const beyond = (version = 3) => stored({ gpos: 11 }, version);
  /** The state after each of several readings of the log. */
  const follow = () => {
    let awaited: AwaitedEntries | undefined;
    let tampered: readonly Tampering[] | undefined;
    return (policy: StoredPolicy, at: number, known = recorded()) => {
      const log = { ...facts(known), asOf: asOf + at };
      awaited = awaitedEntries(byId(policy), log, { awaited, tampered }, asOf + at);
      tampered = findTampering(byId(policy), log, awaited);
      return tampered.map(({ reason }) => reason);
    };
  };

  it('may follow for less than a minute since it was first seen', () => {
    expect(entryFollowsWithinMs).toBeLessThan(60_000);
    expect(reasons(beyond(), facts(recorded()), entryFollowsWithinMs)).toEqual([]);
    expect(reasons(beyond(), facts(recorded()), entryFollowsWithinMs + 1)).toEqual(['never_recorded']);
  });
  it('gets more time by an entry, not by further versions', () => {
    const at = follow();
    expect(at(beyond(3), 0)).toEqual([]);
    expect(at(beyond(4), entryFollowsWithinMs)).toEqual([]);
    expect(at(beyond(5), entryFollowsWithinMs + 1)).toEqual(['never_recorded']);
    const busy = follow();
    expect(busy(beyond(3), 0)).toEqual([]);
    expect(busy(beyond(4), entryFollowsWithinMs + 1, recorded({ version: 3 }))).toEqual([]);
  });
  it.each([
    ['without a place', stored({ gpos: null }, 3)],
    ['with another content', stored({}, 2, 'other')],
    ['with an older version', stored({}, 1, 'h1')],
  ])('that was tampered with, %s, stays so until event and log agree', (_what, tamperedWith) => {
    const at = follow();
    expect(at(tamperedWith, 0)).toHaveLength(1);
    expect(at(beyond(), 1)).toEqual(['never_recorded']);
    expect(at(beyond(), 2)).toEqual(['never_recorded']);
    expect(at(stored({ gpos: 11 }, 3, 'h3'), 3, recorded({ version: 3, hash: 'h3' }))).toEqual([]);
    expect(at(stored({ gpos: 12 }, 4, 'h4'), 4, recorded({ version: 3, hash: 'h3' }))).toEqual([]);
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

  it('is written once while it stands', () => {
    given().when({ type: 'Detected', tampering }).thenEvents(detected);
    given(detected).when({ type: 'Detected', tampering }).thenNothing();
  });
  it('is written again when another difference is found, or when it occurs again', () => {
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
