import {
  type ApprovalStatus,
  type ApprovalView,
  approvalView,
  type SubmissionOutcome,
  submissionOutcome,
} from '@agentlattice/contracts';
import { type AgentStanding, type Moment, releaseOf } from '../src/domain/act-release.js';

/** Answers about the actions of one agent, and moments at which they are released. */
export const agentId = 'agt_01jd7e5sqcfnmrq9yh4qvxw2k3';
export const approvalId = 'apr_01jd7e5sqcfnmrq9yh4qvxw2k3';
export const eventId = 'evt_01jd7e5sqcfnmrq9yh4qvxw2k3';
export const at = (ms: number) => new Date(ms).toISOString();
export const lifeMs = 900_000;
export const grantFrom = (ms: number) => {
  const [iat, exp] = [ms, ms + lifeMs].map((time) => Math.floor(time / 1_000));
  return `e30.${Buffer.from(JSON.stringify({ sub: agentId, iat, exp })).toString('base64url')}.c2ln`;
};
export const outcome = (status: 'executed' | 'requested'): SubmissionOutcome =>
  submissionOutcome.parse({
    status,
    verdict: status === 'executed' ? 'executed' : 'pending_approval',
    denial_reason: null,
    policy_name: 'deploys',
    audit_event_id: eventId,
    approval_id: status === 'executed' ? null : approvalId,
    timeout_at: status === 'executed' ? null : at(9e9),
    message: null,
    conditions_evaluated: [],
  });
export const statusOf = (status: ApprovalStatus['status'], decidedAt: number | null): ApprovalStatus => ({
  status,
  approval_id: approvalId,
  reason: null,
  denial_reason: status === 'denied' ? 'DENIED_BY_REVIEWER' : null,
  resolved_by: decidedAt === null ? null : 'mbr_1',
  resolved_at: decidedAt === null ? null : at(decidedAt),
  timeout_at: at(9e9),
  grant: status === 'approved' && decidedAt !== null ? grantFrom(decidedAt) : null,
});
export const viewOf = (status: ApprovalView['status'], decidedAt: number | null): ApprovalView => ({
  ...approvalView.parse({
    id: approvalId,
    approval_id: approvalId,
    audit_event_id: eventId,
    status: 'pending',
    escalation_level: 0,
    agent: { id: agentId, name: 'bot' },
    asked_with_key: null,
    action_type: 'deploy',
    action_digest: 'd'.repeat(43),
    policy: { id: 'pol_01jd7e5sqcfnmrq9yh4qvxw2k3', name: 'deploys', version: 1, hash: 'a'.repeat(64) },
    policy_name: 'deploys',
    metadata: {},
    data_accessed: [],
    conditions_evaluated: [],
    created_at: at(0),
    timeout_at: at(9e9),
    time_left_seconds: 0,
    approvals: { have: 1, need: 1 },
    denials: { have: 0, need: 1 },
    seats_open: [],
    votes: [],
    approver_groups: [],
    separation_of_duties: false,
    reason: null,
    denial_reason: null,
    scope: null,
    resolved_by: null,
    resolved_at: null,
    history: [],
  }),
  status,
  resolved_at: decidedAt === null ? null : at(decidedAt),
  grant_expires_at: status === 'approved' && decidedAt !== null ? at(decidedAt + lifeMs) : null,
  history:
    decidedAt === null
      ? []
      : [
          {
            type: `approval.${status}`,
            at: at(decidedAt),
            operator: null,
            key: null,
            reason: null,
            note: null,
          },
        ],
});

export const active: AgentStanding = { suspended: false, resumedAt: null, delegationEnded: false };
export const suspended: AgentStanding = { suspended: true, resumedAt: null, delegationEnded: false };
export const moment = (more: Partial<Moment> = {}): Moment => ({
  reader: 'agent',
  readerId: agentId,
  standing: active,
  others: new Map(),
  now: 1_000,
  cleared: null,
  ...more,
});
export function release(routeId: string, body: unknown, when: Moment): Record<string, unknown> {
  const rule = releaseOf(routeId);
  if (rule === null) throw new Error(`${routeId} has no rule`);
  return rule(body, when) as Record<string, unknown>;
}
