import { type ApprovalStatus, type SubmissionOutcome, submissionOutcome } from '@agentlattice/contracts';
import { actionAnswer, decidedOutcome } from './action-answer.js';

const approvalId = 'apr_01jd7e5sqcfnmrq9yh4qvxw2k3';
const outcome: SubmissionOutcome = submissionOutcome.parse({
  status: 'requested',
  verdict: 'pending_approval',
  denial_reason: null,
  policy_name: 'deploys',
  audit_event_id: 'evt_01jd7e5sqcfnmrq9yh4qvxw2k3',
  approval_id: approvalId,
  timeout_at: '2026-11-25T08:30:00.000Z',
  message: 'ask',
  conditions_evaluated: [],
});
const requested = { outcome, grant: null };
const decision = (status: ApprovalStatus['status'], more: Partial<ApprovalStatus> = {}): ApprovalStatus => ({
  status,
  approval_id: approvalId,
  reason: null,
  denial_reason: null,
  resolved_by: null,
  resolved_at: null,
  timeout_at: '2026-11-25T08:30:00.000Z',
  grant: null,
  ...more,
});

it('an answer that requires approval contains the number of people who may decide, when that is known', () => {
  const body = (eligible_approvers?: number | null) =>
    actionAnswer({ ...requested, outcome: { ...outcome, eligible_approvers } }).body;
  expect(body(0)).toMatchObject({ status: 'requested', eligible_approvers: 0 });
  for (const unknown of [null, undefined]) expect(body(unknown)).not.toHaveProperty('eligible_approvers');
});

describe('the answer to a submission that was waited for', () => {
  it.each(['approved', 'denied'] as const)('%s says who decided and what they wrote', (status) => {
    const said = { reason: 'reviewed', resolved_by: 'mbr_1', resolved_by_name: 'Ada Novak' };
    const denial_reason = status === 'denied' ? 'DENIED_BY_REVIEWER' : null;
    const { body } = actionAnswer(decidedOutcome(requested, decision(status, { ...said, denial_reason })));
    expect(body).toMatchObject(said);
  });

  it('a first answer knows of no decision', () => {
    const { body } = actionAnswer({ outcome: { ...outcome, status: 'executed' }, grant: null });
    for (const name of ['reason', 'resolved_by', 'resolved_by_name']) expect(body).not.toHaveProperty(name);
  });

  it('approved is executed, with the grant', () =>
    expect(actionAnswer(decidedOutcome(requested, decision('approved', { grant: 'jws' })))).toMatchObject({
      status: 200,
      body: { status: 'executed', verdict: 'executed', approval_id: approvalId, grant: 'jws' },
    }));

  it.each([
    ['denied', 'DENIED_BY_REVIEWER', { denial_reason: 'DENIED_BY_REVIEWER', reason: 'not today' }],
    ['denied', 'CANCELLED', { denial_reason: 'CANCELLED', reason: 'cancelled' }],
    ['timed_out', 'approval_timeout', { reason: 'approval_timeout' }],
  ] as const)('%s (%s) is denied with its reason and without a grant', (status, denial_reason, more) => {
    const { status: http, body } = actionAnswer(decidedOutcome(requested, decision(status, more)));
    expect({ http, body }).toMatchObject({
      http: 200,
      body: {
        status: 'denied',
        verdict: 'denied',
        denial_reason,
        reason: more.reason,
        approval_id: approvalId,
      },
    });
    expect(body).not.toHaveProperty('grant');
  });

  it('a denial without a reason is a fault, never an allow', () =>
    expect(() => actionAnswer(decidedOutcome(requested, decision('denied')))).toThrow('denial_reason'));

  it.each(['pending', 'escalated'] as const)('%s stays the first answer', (status) =>
    expect(actionAnswer(decidedOutcome(requested, decision(status)))).toMatchObject({
      status: 202,
      body: { status: 'requested', verdict: 'pending_approval' },
    }),
  );
});
