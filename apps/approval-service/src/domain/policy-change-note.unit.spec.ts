import { opened, subject, wasApproved, wasDenied } from '../../test/approval-scenario.js';
import type { Judgement } from './decide-judgement.js';
import { noteOf } from './policy-change-note.js';

const change = (type: string) => ({
  event_id: 'evt_1',
  type,
  policy_id: subject.policy.id,
  policy_name: 'deploys',
  policy_version: 2,
});
const judgement = (changes: Partial<Judgement>): Judgement => ({
  decision: 'denied',
  denial_reason: null,
  policy: { ...subject.policy, name: 'everything' },
  terms: null,
  ...changes,
});
const denied = wasDenied([], { denial_reason: 'POLICY_CHANGED' });

describe('the note of a decision by a change of policies', () => {
  it.each([
    [
      wasApproved([]),
      judgement({ policy: null, denial_reason: 'POLICY_NOT_FOUND' }),
      'policy.deactivated',
      `Approved automatically: the policy "deploys" was deactivated, so nothing governs ${opened.action_type} any more.`,
    ],
    [
      wasApproved([]),
      judgement({ decision: 'executed' }),
      'policy.deleted',
      'Approved automatically: the policy "deploys" was deleted, and "everything" allows this action now.',
    ],
    [
      wasApproved([]),
      judgement({ decision: 'requested', terms: opened.terms }),
      'policy.updated',
      'Approved automatically: the policy "deploys" was changed, and the votes cast so far suffice under "everything".',
    ],
    [
      denied,
      judgement({ denial_reason: 'CONDITIONS_DENIED' }),
      'policy.created',
      'Denied automatically: the policy "deploys" was created, and "everything" denies this action now.',
    ],
    [
      denied,
      judgement({ denial_reason: 'POLICY_TAMPERED' }),
      'policy.activated',
      'Denied automatically: the policy "deploys" was activated, and "everything" is not what its hash says.',
    ],
  ])('names the change and its consequence', (event, judged, type, note) =>
    expect(noteOf(event, judged, change(type))).toBe(note),
  );
});
