import {
  type ApprovalStatus,
  type ApprovalView,
  type approvalServiceCommands,
  type CommandRequest,
  type DecidingOperator,
  Refused,
  Unavailable,
  type VotePending,
} from '@agentlattice/contracts';
import {
  type EventMeta,
  type EventStore,
  indexOfCommand,
  type Outcome,
  type StreamRef,
} from '@agentlattice/event-store';
import { type CommandContext, isBackendAway } from '@agentlattice/messaging';
import { linkSpan } from '@agentlattice/observability';
import { Batcher } from '@agentlattice/service';
import { type Approval, isOpen } from '../domain/approval.js';
import { replayApproval } from '../domain/replay-approval.js';
import { type ApprovalCommand, approvalDecider } from '../domain/approval-decider.js';
import type { Person } from '../domain/may-decide.js';
import { keyOfOperator } from '../domain/key-holders.js';
import { count } from '../domain/tally.js';
import { type Claim, findMembersStatement, type Members, personIn } from '../outbound/members.js';
import { wakeWaiters, type Waker } from '../outbound/wake-waiters.js';
import { type ApprovalReader, keyOf } from '../read/approval-reader.js';
import { standingDecision } from '../read/approval-row.js';
import type { RequestViews } from '../read/request-views.js';
import { type AfterDeciding, afterDeciding, type Ended, isTooLate, approvalKeyOf } from './after-deciding.js';

type Request<Verb extends keyof typeof approvalServiceCommands> = CommandRequest<
  (typeof approvalServiceCommands)[Verb]
>;

export interface DecideApprovalsPorts {
  readonly store: EventStore;
  readonly members: Members;
  readonly reader: ApprovalReader;
  readonly views: Pick<RequestViews, 'get'>;
  readonly nc: Waker;
  readonly grantTtlSeconds: number;
}

/** A command that waits for a commit. */
interface Deciding extends StreamRef {
  /** Null: the agent itself. */
  readonly claim: Claim | null;
  /** Null: the person is read in the transaction. */
  readonly person: Person | null;
  readonly reason: string | null;
  readonly command: (now: Date, by: Person | null) => ApprovalCommand;
  /** Monotonic: when the caller stops waiting. Nothing may be decided after it. */
  readonly until: number;
}

/** The outcome of a command, and the state of the request where it has ended. */
interface Decided {
  readonly outcome: Outcome<Approval, Deciding>;
  readonly ended: Ended | undefined;
}

/** This service does not know the person, or knows a lower role; the event about it may not have arrived. */
class NotKnownYet extends Refused {
  constructor() {
    super('FORBIDDEN', 'this person is not known yet');
  }
}

const maxAtOnce = 64;
/** How long the gateway waits for an answer. */
const consumptionWaitMs = 2_000;

/**
 * Executes the commands of people and agents: approve, deny, withdraw, cancel. Commands that arrive while a commit is under
 * way share the next one. Each is answered after its commit, and a refusal affects only its own command.
 */
export class DecideApprovals {
  private readonly deciding: Batcher<Deciding, Decided>;

  constructor(private readonly ports: DecideApprovalsPorts) {
    this.deciding = new Batcher((items) => this.decideSeparately(items), {
      maxItems: maxAtOnce,
      oldestMs: consumptionWaitMs,
    });
  }

  async approve(request: Request<'approve'>, context: CommandContext): Promise<ApprovalView | VotePending> {
    const { grantTtlSeconds } = this.ports;
    const decided = await this.byPerson(request, request.reason, context, (now, by) => ({
      type: 'Approve',
      by,
      key: keyOfOperator(request.operator),
      forever: request.forever_for,
      policyVersion: request.policy_version,
      grantExpiresAt: new Date(now.getTime() + grantTtlSeconds * 1_000),
      now,
      seenMs: request.seen_ms,
    }));
    return this.answerOf(decided);
  }

  async deny(request: Request<'deny'>, context: CommandContext): Promise<ApprovalView | VotePending> {
    const { reason } = request;
    return this.answerOf(
      await this.byPerson(request, reason, context, (now, by) => ({
        type: 'Deny',
        by,
        key: keyOfOperator(request.operator),
        now,
        seenMs: request.seen_ms,
      })),
    );
  }

  async withdrawVote(request: Request<'withdraw_vote'>, context: CommandContext): Promise<VotePending> {
    const { outcome } = await this.byPerson(request, null, context, (now, by) => ({
      type: 'WithdrawVote',
      by,
      key: keyOfOperator(request.operator),
      now,
    }));
    const { stream, history } = outcome;
    const repeated = indexOfCommand(stream.meta, history);
    // The request of a withdrawal that is sent again may have ended by now: the answer has the votes of that time.
    return pending(
      repeated < 0 ? outcome : { stream, state: replayApproval(history.slice(0, repeated + 1)) },
    );
  }

  async cancel(
    request: Request<'cancel'>,
    { traceparent, commandId: command_id }: CommandContext,
  ): Promise<ApprovalStatus> {
    const { org_id, approval_id, agent_id, key_id, reason, correlation_id } = request;
    const { ended } = await this.decide({
      orgId: org_id,
      streamId: approval_id,
      meta: {
        actor: { kind: 'agent', id: agent_id, key_id, via: 'api' },
        ...{ correlation_id, traceparent, command_id },
      },
      claim: null,
      person: null,
      reason,
      command: (now) => ({ type: 'Cancel', agentId: agent_id, now }),
      until: performance.now() + consumptionWaitMs,
    });
    return this.ports.reader.statusOf(present(ended).row);
  }

  private async byPerson(
    request: Omit<Request<'withdraw_vote'>, 'reason'>,
    reason: string | null,
    { traceparent, commandId: command_id }: CommandContext,
    command: (now: Date, by: Person) => ApprovalCommand,
  ): Promise<Decided> {
    const { org_id: orgId, approval_id: streamId, operator, correlation_id } = request;
    const deciding: Deciding = {
      orgId,
      streamId,
      meta: { actor: asOperator(operator), correlation_id, traceparent, command_id },
      claim: { orgId, operator },
      person: null,
      reason,
      command: (now, by) => {
        if (by === null) throw new NotKnownYet();
        return command(now, by);
      },
      until: performance.now() + consumptionWaitMs,
    };
    try {
      return await this.decide(deciding);
    } catch (error) {
      if (!(error instanceof NotKnownYet)) throw error;
      return this.decide({ ...deciding, person: await this.person(request) });
    }
  }

  /** The request that has ended, or the votes. */
  private answerOf({ outcome, ended }: Decided): Promise<ApprovalView> | ApprovalView | VotePending {
    if (isOpen(outcome.state)) return pending(outcome);
    // A decision that was made before and is sent again is answered by the request as it is now.
    return ended?.view?.() ?? this.ports.views.get({ ...approvalKeyOf(outcome), agent_id: null });
  }

  /** Refuses an unknown request before a person who may not decide (decisions §5). */
  private async person({
    org_id,
    approval_id,
    operator,
  }: Pick<Request<'deny'>, 'org_id' | 'approval_id' | 'operator'>): Promise<Person> {
    try {
      return await this.ports.members.person(org_id, operator);
    } catch (error) {
      await this.ports.reader.decision({ org_id, approval_id });
      throw error;
    }
  }

  /** @throws Refused; the refusal of a late command has the decision that was made */
  private async decide(deciding: Deciding): Promise<Decided> {
    const decided = await this.deciding.do(deciding);
    // The decision is a trace of its own: between it and the request a person thought.
    linkSpan(decided.outcome.history[0]?.meta.traceparent ?? null);
    const { refused } = decided.outcome;
    if (refused === null) return decided;
    if (!isTooLate(decided.outcome)) throw refused;
    const decision = standingDecision(present(decided.ended).row);
    throw new Refused(refused.code, refused.detail, { extra: { ...refused.extra, decision } });
  }

  /**
   * Commands whose commit failed are committed one by one, so that only the faulty one fails. A decision that is on disk is
   * not made again.
   */
  private async decideSeparately(
    items: readonly Deciding[],
  ): Promise<readonly (Decided | Promise<Decided>)[]> {
    let committed: Committed;
    try {
      committed = await this.commit(items);
    } catch (error) {
      if (items.length === 1 || isBackendAway(error)) throw error;
      return items.map(async (item) => {
        const [decided] = this.announce(await this.commit([item]));
        if (decided === undefined) throw new Error('a decision has no outcome');
        return decided;
      });
    }
    return this.announce(committed);
  }

  private async commit(items: readonly Deciding[]): Promise<Committed> {
    const { store } = this.ports;
    const claims = items.flatMap(({ claim, person }) => (claim === null || person !== null ? [] : [claim]));
    let after: AfterDeciding | undefined;
    const { outcomes, answers } = await store.decideEach({
      decider: approvalDecider,
      streams: items,
      reads: claims.length === 0 ? [] : [findMembersStatement(claims)],
      command: (now, { claim, person, command, until }, [members]) => {
        if (performance.now() > until) throw new Unavailable('it waited too long');
        return command(now, person ?? (claim === null ? null : personIn(members?.rows ?? [], claim)));
      },
      erasable: (_event, { reason }) => ({ reason }),
      along: (decided) => {
        after = afterDeciding(decided);
        return after.statements;
      },
    });
    return { outcomes, ended: after?.ended(answers) ?? new Map() };
  }

  private announce({ outcomes, ended }: Committed): readonly Decided[] {
    const { reader, nc } = this.ports;
    wakeWaiters(
      nc,
      outcomes.flatMap(({ events }) => events),
      ({ org_id, stream_id: approval_id }) => {
        const found = ended.get(keyOf({ org_id, approval_id }));
        return found === undefined ? null : { org_id, ended: reader.statusOf(found.row) };
      },
    );
    return outcomes.map((outcome) => ({ outcome, ended: ended.get(keyOf(approvalKeyOf(outcome))) }));
  }
}

interface Committed {
  readonly outcomes: Outcomes;
  readonly ended: ReadonlyMap<string, Ended>;
}
type Outcomes = readonly Outcome<Approval, Deciding>[];

const asOperator = ({ member_id, key_id, via }: DecidingOperator): EventMeta['actor'] => ({
  kind: 'operator',
  id: member_id,
  key_id,
  via,
});

function present(ended: Ended | undefined): Ended {
  if (ended === undefined) throw new Error('the row of a decided request is missing');
  return ended;
}

function pending({ stream, state }: Pick<Decided['outcome'], 'stream' | 'state'>): VotePending {
  if (state.status === 'none') throw new Error('a decided request does not exist');
  const { approvals, denials, seatsOpen } = count(state.terms, state.votes);
  return {
    status: 'pending',
    approval_id: stream.streamId,
    approvals,
    denials,
    seats_open: [...seatsOpen],
  };
}
