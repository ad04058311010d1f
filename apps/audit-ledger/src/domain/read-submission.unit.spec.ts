import { Refused } from '@agentlattice/contracts';
import { commit } from '@agentlattice/ledger';
import { sampleItem, sampleSubmission } from '../../test/sample-items.js';
import { readSubmission } from './read-submission.js';

const chance = {
  id: 'evt_x',
  salts: { metadata: '01'.repeat(16), data_accessed: '02'.repeat(16) },
  grantTtlSeconds: 60,
};
const base = sampleItem();
const requested = sampleItem({ decision: 'requested' });

it('keeps erasable values out of the entry, which has commitments to them', () => {
  const { facts, content } = readSubmission(base, chance);
  expect(content.metadata).toEqual({ salt: chance.salts.metadata, value: base.metadata });
  expect(facts.private.metadata).toBe(commit('metadata', chance.salts.metadata, base.metadata));
  expect(JSON.stringify(facts)).not.toContain('pr_size');
});

it('names who acts for whom, for an agent that acts for others, and nothing for any other', () => {
  const root = { id: 'agt_01jd7e5sqcfnmrq9yh4qvxw2k9', name: 'root' };
  const delegation = {
    id: 'del_01jd7e5sqcfnmrq9yh4qvxw2k3',
    ancestors: [{ ...root, owner_member_id: 'mbr_x' }],
  };
  const { id, name } = base.agent;
  const { facts, recorded } = readSubmission({ ...base, agent: { ...base.agent, delegation } }, chance);
  expect(facts.delegation).toEqual({ id: delegation.id, chain: [root, { id, name }] });
  expect(recorded.delegation).toEqual(delegation);
  expect(readSubmission(base, chance).facts).not.toHaveProperty('delegation');
});

it.each([
  ['executed', 'executed', 'executed', null],
  ['requested', 'requested', 'pending_approval', null],
  ['denied', 'policy_not_found', 'denied', 'POLICY_NOT_FOUND'],
] as const)('answers %s with the right status and verdict', (decision, status, verdict, denial_reason) => {
  expect(sampleSubmission({ decision }).recorded.outcome).toMatchObject({ status, verdict, denial_reason });
});

it('distinguishes event ids that differ only in invisible characters', () => {
  const keys = ['a', 'a\n', 'a\0', '', '\\n', '"a"'].map((eventId) => sampleSubmission({ eventId }).eventKey);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.every((key) => key !== null && !key.includes('\n'))).toBe(true);
  expect(sampleSubmission({ eventId: null }).eventKey).toBeNull();
});

it.each([
  ['other metadata than the digest covers', { ...base, metadata: '{"pr_size":13}' }],
  ['metadata that is no object', { ...base, metadata: '[]' }],
  ['metadata that is no JSON', { ...base, metadata: '{' }],
  ['metadata with half a character', { ...base, metadata: '{"a":"\ud800"}' }],
  ['data that is no list', { ...base, data_accessed: '{}' }],
  ['a line feed in the action', { ...base, action_type: 'a\nb' }],
  ['another workspace', { ...base, org_id: requested.agent.id }],
  ['an allow without a policy', { ...base, verdict: { ...base.verdict, policy: null } }],
  [
    'an allow with a reason to deny',
    { ...base, verdict: { ...base.verdict, denial_reason: 'POLICY_DENIED' as const } },
  ],
  ['a request without terms', { ...requested, verdict: { ...requested.verdict, terms: null } }],
  ['a request without an approval', { ...requested, verdict: { ...requested.verdict, approval_id: null } }],
])('refuses %s', (_, item) => {
  expect(() => readSubmission(item, chance)).toThrow(Refused);
});
