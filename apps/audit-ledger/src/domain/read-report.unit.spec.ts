import { canonicalJson, chainEntry, commit, emptyChain, type Entry } from '@agentlattice/ledger';
import { sampleSubmission, type Wanted } from '../../test/sample-items.js';
import { readReport } from './read-report.js';

const actionOf = (wanted: Wanted): Entry => {
  const { id, facts } = sampleSubmission(wanted);
  const place = { id, time: '2026-11-25T06:00:00.000Z', source: 'audit-ledger', source_seq: 1 } as const;
  return chainEntry(emptyChain('test/log'), { ...facts, ...place }).entry;
};
const report = (action: Entry, said: { message?: string | null; metadata?: string | null } = {}) => {
  let salts = 0;
  return readReport(
    {
      org_id: action.org_id,
      agent_id: action.agent?.id ?? '',
      audit_event_id: action.id,
      status: 'partial',
      message: null,
      metadata: null,
      ...said,
    },
    action,
    { id: 'evt_report', newSalt: () => String(++salts).padStart(32, '0') },
  );
};

it('binds the status, the message and the action', () => {
  const action = actionOf({ decision: 'requested' });
  const metadata = canonicalJson({ seconds: 4.5, ['__proto__']: 1 });
  const { facts, content, report: stored } = report(action, { message: 'half\nof it', metadata });
  const bound = canonicalJson({
    audit_event_id: action.id,
    metadata: JSON.parse(metadata) as unknown,
    status: 'partial',
  });
  expect(content).toEqual({
    note: { salt: '1'.padStart(32, '0'), value: '"half\\nof it"' },
    metadata: { salt: '2'.padStart(32, '0'), value: bound },
  });
  expect(facts.private).toEqual({
    note: commit('note', '1'.padStart(32, '0'), '"half\\nof it"'),
    metadata: commit('metadata', '2'.padStart(32, '0'), bound),
  });
  expect(stored).toEqual({ actionId: action.id, status: 'partial' });
  const { agent, policy, action_type, approval_id, correlation_id } = action;
  expect(facts).toMatchObject({
    type: 'action.reported',
    decision: null,
    operator: null,
    agent,
    policy,
    action_type,
    approval_id,
    correlation_id,
  });
});

it('a report without a message still binds its status', () => {
  expect(Object.keys(report(actionOf({})).facts.private)).toEqual(['metadata']);
});

it('a report of a denied action is refused', () => {
  expect(() => report(actionOf({ decision: 'denied' }))).toThrow('NOT_REPORTABLE');
});
