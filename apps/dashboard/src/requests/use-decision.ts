import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiRefusal, NoAnswer } from '../api/client.js';
import { approvalKey, approvalsKey, approve, deny, getApproval } from '../api/approvals.js';
import { type Approval, type DecisionAnswer, isVotePending } from '../api/types.js';
import type { Ended, Outcome } from '../domain/decision-outcome.js';
import { seenMs } from '../live/seen.js';
import { serverNow } from '../live/server-clock.js';
import { useSession } from '../session/session-context.js';
import { useAnnounce } from '../components/announcer.js';

export interface Decision {
  readonly kind: 'approve' | 'deny' | 'forever';
  readonly reason: string;
  /** With `forever`: the version of the policy whose change the person confirmed. */
  readonly policyVersion?: number;
}

/** The connection broke, and the request shows that no vote of this person was recorded. */
export class NothingRecorded extends Error {}

export const endedOf = (approval: Approval): Ended => ({
  status: approval.status,
  resolvedBy: approval.resolved_by,
  resolvedByName: approval.resolved_by_name ?? null,
  resolvedAt: approval.resolved_at,
  reason: approval.reason,
});

export const isOpen = ({ status }: Pick<Approval, 'status'>): boolean =>
  status === 'pending' || status === 'escalated';

/** Sends a vote and says what became of it. Nothing is shown as done before the server has answered. */
export function useDecision(approval: Approval, onOutcome: (outcome: Outcome, decided?: Approval) => void) {
  const { member } = useSession();
  const queries = useQueryClient();
  const announce = useAnnounce();
  /** No answer came, and the request is asked what became of the vote. */
  const [isChecking, setChecking] = useState(false);
  const mutation = useMutation({
    mutationFn: async (decision: Decision) => {
      const pressedAt = serverNow();
      try {
        return outcomeOf(await sent(approval.id, decision), decision);
      } catch (error) {
        if (error instanceof NoAnswer) {
          setChecking(true);
          return checked(approval, decision, member.id, pressedAt);
        }
        const outcome =
          error instanceof ApiRefusal ? refusedOutcome(error, approval, decision, pressedAt) : null;
        if (outcome === null) throw error;
        return { outcome };
      }
    },
    onSuccess: ({ outcome, decided }) => {
      if (outcome.kind === 'lost_race' || outcome.kind === 'too_late')
        announce('Your decision was not recorded: the request had ended before.', 'assertive');
      if (decided !== undefined) queries.setQueryData(approvalKey(approval.id), decided);
      onOutcome(outcome, decided);
      void queries.invalidateQueries({ queryKey: approvalsKey });
    },
    onError: () => announce('Your decision was not recorded.', 'assertive'),
    onSettled: () => setChecking(false),
  });
  return { ...mutation, isChecking };
}

interface Result {
  readonly outcome: Outcome;
  readonly decided?: Approval;
}

function sent(id: string, { kind, reason, policyVersion }: Decision): Promise<DecisionAnswer> {
  const seen = seenMs(id);
  const vote = { ...(reason === '' ? {} : { reason }), ...(seen === undefined ? {} : { seen_ms: seen }) };
  if (kind === 'deny') return deny(id, vote);
  if (kind === 'approve') return approve(id, { ...vote, scope: 'once' });
  return approve(id, {
    ...vote,
    scope: 'forever',
    ...(policyVersion === undefined ? {} : { policy_version: policyVersion }),
  });
}

function outcomeOf(answer: DecisionAnswer, { kind, reason }: Decision): Result {
  if (isVotePending(answer)) {
    const tally = kind === 'deny' ? answer.denials : answer.approvals;
    const outcome: Outcome = {
      kind: 'vote_recorded',
      approves: kind !== 'deny',
      have: tally.have,
      need: tally.need,
      seats: kind === 'deny' ? [] : answer.seats_open,
    };
    return { outcome };
  }
  return {
    outcome:
      kind === 'deny'
        ? { kind: 'denied_by_me', reason }
        : { kind: 'approved_by_me', forever: kind === 'forever' },
    decided: answer,
  };
}

/** Refusals that say how the request ended; null for all others. */
function refusedOutcome(
  { code, problem }: ApiRefusal,
  approval: Approval,
  { reason }: Decision,
  pressedAt: number,
): Outcome | null {
  if (code === 'APPROVAL_TIMED_OUT')
    return { kind: 'too_late', at: problem.timeout_at ?? approval.timeout_at, typed: reason };
  if (code !== 'APPROVAL_ALREADY_DECIDED') return null;
  const { decision } = problem;
  const ended: Ended = {
    status: decision?.status ?? 'decided',
    resolvedBy: decision?.resolved_by ?? null,
    resolvedByName: decision?.resolved_by_name ?? null,
    resolvedAt: decision?.resolved_at ?? null,
    reason: decision?.reason ?? null,
  };
  return lostRace(ended, reason, pressedAt);
}

function lostRace(ended: Ended, typed: string, pressedAt: number): Outcome {
  if (ended.status === 'timed_out') return { kind: 'too_late', at: ended.resolvedAt ?? '', typed };
  const beforeMs = ended.resolvedAt === null ? null : pressedAt - Date.parse(ended.resolvedAt);
  return { kind: 'lost_race', ended, beforeMs, typed };
}

/** No answer came: the request itself tells whether the vote was recorded. @throws NothingRecorded, ApiRefusal */
async function checked(
  approval: Approval,
  decision: Decision,
  memberId: string,
  pressedAt: number,
): Promise<Result> {
  const now = await eventuallyReachable(() => getApproval(approval.id));
  const mine = now.votes.find(({ member_id }) => member_id === memberId);
  if (isOpen(now)) {
    if (mine === undefined)
      throw new NothingRecorded('The connection broke and nothing was recorded. Decide again');
    const approves = mine.decision === 'approve';
    const tally = approves ? now.approvals : now.denials;
    return {
      outcome: { kind: 'vote_recorded', approves, ...tally, seats: approves ? now.seats_open : [] },
    };
  }
  if (now.resolved_by === memberId)
    return {
      outcome:
        now.status === 'denied'
          ? { kind: 'denied_by_me', reason: decision.reason }
          : { kind: 'approved_by_me', forever: now.scope === 'forever' },
      decided: now,
    };
  return { outcome: lostRace(endedOf(now), decision.reason, pressedAt), decided: now };
}

const retryMs = 1_000;

async function eventuallyReachable<T>(ask: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await ask();
    } catch (error) {
      if (error instanceof ApiRefusal && error.status < 500) throw error;
      await new Promise((done) => setTimeout(done, retryMs));
    }
}
