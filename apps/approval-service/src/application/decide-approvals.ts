import {
  type ApprovalStatus,
  type ApprovalView,
  type approvalServiceCommands,
  type CommandRequest,
  type DecidingOperator,
  Refused,
  type VotePending,
} from '@agentlattice/contracts';
import type { EventMeta, EventStore, Updated } from '@agentlattice/event-store';
import { type Approval, isOpen } from '../domain/approval.js';
import { type ApprovalCommand, approvalDecider } from '../domain/approval-decider.js';
import type { Person } from '../domain/may-decide.js';
import { count } from '../domain/tally.js';
import type { Members } from '../outbound/members.js';
import { projectApprovals } from '../outbound/project-approvals.js';
import { wakeWaiters, type Waker } from '../outbound/wake-waiters.js';
import type { ApprovalReader } from '../read/approval-reader.js';

type Request<Verb extends keyof typeof approvalServiceCommands> = CommandRequest<
  (typeof approvalServiceCommands)[Verb]
>;

export interface DecideApprovalsPorts {
  readonly store: EventStore;
  readonly members: Members;
  readonly reader: ApprovalReader;
  readonly nc: Waker;
  readonly grantTtlSeconds: number;
}

interface Deciding {
  readonly org_id: string;
  readonly approval_id: string;
  readonly correlation_id: string | null;
  readonly reason?: string | null;
}
type MakeCommand = (now: Date) => ApprovalCommand;
type Actor = EventMeta['actor'];

const tooLate = new Set(['APPROVAL_ALREADY_DECIDED', 'APPROVAL_TIMED_OUT']);

/** What people and agents do to requests; each is one commit of event, row and words, and only then is it told. */
export class DecideApprovals {
  constructor(private readonly ports: DecideApprovalsPorts) {}

  async approve(
    request: Request<'approve'>,
    traceparent: string | null,
  ): Promise<ApprovalView | VotePending> {
    const { grantTtlSeconds } = this.ports;
    const by = await this.person(request);
    const { state } = await this.update(request, asOperator(request.operator), traceparent, (now) => ({
      type: 'Approve',
      by,
      forever: request.forever_for,
      policyVersion: request.policy_version,
      grantExpiresAt: new Date(now.getTime() + grantTtlSeconds * 1_000),
      now,
    }));
    return this.answer(request, state);
  }

  async deny(request: Request<'deny'>, traceparent: string | null): Promise<ApprovalView | VotePending> {
    const by = await this.person(request);
    const { state } = await this.update(request, asOperator(request.operator), traceparent, (now) => ({
      type: 'Deny',
      by,
      now,
    }));
    return this.answer(request, state);
  }

  async withdrawVote(request: Request<'withdraw_vote'>, traceparent: string | null): Promise<VotePending> {
    const by = await this.person(request);
    const { state } = await this.update(request, asOperator(request.operator), traceparent, (now) => ({
      type: 'WithdrawVote',
      by,
      now,
    }));
    return pending(request.approval_id, state);
  }

  async cancel(request: Request<'cancel'>, traceparent: string | null): Promise<ApprovalStatus> {
    const { org_id, approval_id, agent_id, key_id } = request;
    const agent: Actor = { kind: 'agent', id: agent_id, key_id, via: 'api' };
    await this.update(request, agent, traceparent, (now) => ({ type: 'Cancel', agentId: agent_id, now }));
    return this.ports.reader.status({ org_id, approval_id, agent_id });
  }

  /** What does not exist is said before who may not (decisions §5). */
  private async person({
    org_id,
    approval_id,
    operator,
  }: Deciding & { readonly operator: DecidingOperator }): Promise<Person> {
    try {
      return await this.ports.members.person(org_id, operator);
    } catch (error) {
      await this.ports.reader.decision({ org_id, approval_id });
      throw error;
    }
  }

  private async update(
    { org_id, approval_id, correlation_id, reason }: Deciding,
    actor: Actor,
    traceparent: string | null,
    command: MakeCommand,
  ): Promise<Updated<Approval>> {
    const { store, nc } = this.ports;
    const updated = await store
      .update({
        decider: approvalDecider,
        orgId: org_id,
        streamId: approval_id,
        command,
        meta: { actor, correlation_id, traceparent },
        project: projectApprovals({ reason: reason ?? null }),
      })
      .catch((error: unknown) => this.explain({ org_id, approval_id }, error));
    wakeWaiters(nc, updated.events);
    return updated;
  }

  /** Who comes too late hears the decision that stands. */
  private async explain(one: { org_id: string; approval_id: string }, error: unknown): Promise<never> {
    if (!(error instanceof Refused) || !tooLate.has(error.code)) throw error;
    const decision = await this.ports.reader.decision(one);
    throw isOpen(decision) ? error : new Refused(error.code, error.detail, { extra: { decision } });
  }

  private async answer(
    { org_id, approval_id }: Deciding,
    state: Approval,
  ): Promise<ApprovalView | VotePending> {
    if (isOpen(state)) return pending(approval_id, state);
    return this.ports.reader.get({ org_id, approval_id, agent_id: null });
  }
}

const asOperator = ({ member_id, key_id, via }: DecidingOperator): Actor => ({
  kind: 'operator',
  id: member_id,
  key_id,
  via,
});

function pending(approval_id: string, state: Approval): VotePending {
  if (state.status === 'none') throw new Error('a request that was decided upon exists');
  const { approvals, denials, seatsOpen } = count(state.terms, state.votes);
  return { status: 'pending', approval_id, approvals, denials, seats_open: [...seatsOpen] };
}
