import type { ApprovalTerms, DenialReason, PolicyChange, PolicyRef } from '@agentlattice/contracts';
import { assertNever } from '@agentlattice/decider';
import { type ApprovalEvent, evolve, isOpen, type KnownApproval } from './approval.js';
import { votesUnder } from './may-decide.js';
import { approved, completed, denied, isLate } from './decide-vote.js';

/** The verdict of all policies together on a request now. */
export interface Judgement {
  readonly decision: 'executed' | 'denied' | 'requested';
  readonly denial_reason: DenialReason | null;
  readonly policy: PolicyRef | null;
  /** Set where a person must decide, and only there. */
  readonly terms: ApprovalTerms | null;
}

export interface ApplyJudgement {
  readonly type: 'ApplyJudgement';
  readonly judgement: Judgement;
  /** The version of the request's stream when the judgement was requested. */
  readonly version: number;
  readonly change: PolicyChange;
  /**
   * `on_removed` of the newest version of the policy that governed the request: one change may set it and remove the policy.
   * Null: that of the request's own terms.
   */
  readonly onRemoved: ApprovalTerms['on_removed'] | null;
  readonly grantExpiresAt: Date;
  readonly now: Date;
}

/** What a change of policies does to an open request (design §3.2). */
export function decideJudgement(command: ApplyJudgement, state: KnownApproval): readonly ApprovalEvent[] {
  const { judgement, change, grantExpiresAt, now } = command;
  const onRemoved = command.onRemoved ?? state.terms.on_removed;
  if (!isOpen(state) || isLate(state, now)) return [];
  // It changed while the policies judged it, so it is judged again.
  if (command.version !== state.version) return [];
  const allowed = () => [approved(state, { votes: [], change, grantExpiresAt })];
  const refused = (denial_reason: DenialReason) => [denied(state, { votes: [], change, denial_reason })];
  switch (judgement.decision) {
    case 'executed':
      return allowed();
    case 'denied':
      if (judgement.denial_reason === 'POLICY_TAMPERED') return refused('POLICY_TAMPERED');
      if (judgement.denial_reason === 'DELEGATION_SCOPE') return refused('DELEGATION_SCOPE');
      if (judgement.denial_reason !== 'POLICY_NOT_FOUND') return refused('POLICY_CHANGED');
      if (onRemoved === 'keep') return [];
      return onRemoved === 'approve' ? allowed() : refused('POLICY_CHANGED');
    case 'requested':
      return policyReplaced(command, state);
    default:
      return assertNever(judgement.decision);
  }
}

/** The deadline and the escalation were promised when the request was made, and do not change. */
function policyReplaced(
  { judgement: { policy, terms }, change, grantExpiresAt }: ApplyJudgement,
  state: KnownApproval,
): readonly ApprovalEvent[] {
  const { subject } = state;
  if (policy === null || terms === null || isSame(policy, subject.policy)) return [];
  const { timeout_ms, escalation } = state.terms;
  const governing = { ...terms, timeout_ms, escalation };
  const changed: ApprovalEvent = {
    type: 'approval.policy_changed',
    data: {
      ...subject,
      policy,
      previous_policy: subject.policy,
      terms: governing,
      change,
      votes: votesUnder(governing, state),
    },
  };
  const end = completed(evolve(state, changed) as KnownApproval, change, grantExpiresAt);
  return end === null ? [changed] : [changed, end];
}

const isSame = (a: PolicyRef, b: PolicyRef) => a.id === b.id && a.version === b.version && a.hash === b.hash;
