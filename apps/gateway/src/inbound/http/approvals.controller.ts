import {
  approvalServiceCommands,
  type ApprovalStatus,
  type RouteInput,
  type RouteOutput,
  routes,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req, Res } from '@nestjs/common';
import type { AwaitDecision } from '../../application/await-decision.js';
import type { DecideApproval } from '../../application/decide-approval.js';
import { readPrefer } from '../../domain/prefer.js';
import type { Principal } from '../../domain/principal.js';
import { AWAIT_DECISION, DECIDE_APPROVAL } from '../../tokens.js';
import { approvalOf } from './approval-of.js';
import { doorOf } from './ask.js';
import { Caller, Handles, RequestInput } from './handles.js';
import { applied, goneSignal } from './held-answer.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';

type Agent = Extract<Principal, { kind: 'agent' }>;
type Operator = Extract<Principal, { kind: 'operator' }>;

/** Requests that wait for a person. For an agent only its own exist (decisions §3.5). */
@Controller()
export class ApprovalsController {
  constructor(
    @Inject(COMMANDS) private readonly commands: CommandClient,
    @Inject(AWAIT_DECISION) private readonly awaitDecision: AwaitDecision,
    @Inject(DECIDE_APPROVAL) private readonly decide: DecideApproval,
  ) {}

  @Handles(routes.approvalStatus)
  status(
    @Caller() principal: Principal,
    @RequestInput() input: RouteInput<typeof routes.approvalStatus>,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.approvalStatus>> {
    return this.statusOf(principal, input, reply);
  }

  @Handles(routes.approvalStatusUnversioned)
  statusUnversioned(
    @Caller() principal: Principal,
    @RequestInput() input: RouteInput<typeof routes.approvalStatusUnversioned>,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.approvalStatusUnversioned>> {
    return this.statusOf(principal, input, reply);
  }

  @Handles(routes.listApprovals)
  list(
    @Caller() principal: Principal,
    @RequestInput() { query: { cursor, limit, ...filter } }: RouteInput<typeof routes.listApprovals>,
  ): Promise<RouteOutput<typeof routes.listApprovals>> {
    return this.commands.request(approvalServiceCommands.list_approvals, {
      ...filter,
      ...(principal.kind === 'agent' ? { agent_id: principal.agent.id } : {}),
      org_id: principal.orgId,
      cursor: cursor ?? null,
      limit,
    });
  }

  @Handles(routes.getApproval)
  get(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.getApproval>,
  ): Promise<RouteOutput<typeof routes.getApproval>> {
    return this.commands.request(approvalServiceCommands.get_approval, approvalOf(principal, params));
  }

  @Handles(routes.approveRequest)
  approve(
    @Caller() principal: Operator,
    @RequestInput() { params, body }: RouteInput<typeof routes.approveRequest>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.approveRequest>> {
    return this.decide.approve(decisionOf(principal, params, body.reason, request), {
      foreverFor: body.scope === 'forever' ? (body.forever_for ?? 'policy') : null,
      policyVersion: body.policy_version ?? null,
    });
  }

  @Handles(routes.denyRequest)
  deny(
    @Caller() principal: Operator,
    @RequestInput() { params, body }: RouteInput<typeof routes.denyRequest>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.denyRequest>> {
    return this.commands.request(
      approvalServiceCommands.deny,
      decisionOf(principal, params, body.reason, request),
    );
  }

  @Handles(routes.withdrawVote)
  withdrawVote(
    @Caller() principal: Operator,
    @RequestInput() { params }: RouteInput<typeof routes.withdrawVote>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.withdrawVote>> {
    const { reason: _, ...withdrawal } = decisionOf(principal, params, null, request);
    return this.commands.request(approvalServiceCommands.withdraw_vote, withdrawal);
  }

  @Handles(routes.cancelRequest)
  cancel(
    @Caller() principal: Agent,
    @RequestInput() { params, body }: RouteInput<typeof routes.cancelRequest>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.cancelRequest>> {
    const { org_id, approval_id } = approvalOf(principal, params);
    return this.commands.request(approvalServiceCommands.cancel, {
      org_id,
      approval_id,
      agent_id: principal.agent.id,
      key_id: principal.keyId,
      reason: body.reason ?? null,
      correlation_id: request.id,
    });
  }

  private statusOf(
    principal: Principal,
    { params, headers }: Pick<RouteInput<typeof routes.approvalStatus>, 'params' | 'headers'>,
    reply: GatewayReply,
  ): Promise<ApprovalStatus> {
    const prefer = { ...readPrefer(headers.prefer), grant: false };
    applied(reply, prefer);
    return this.awaitDecision(approvalOf(principal, params), prefer.waitSeconds * 1_000, goneSignal(reply));
  }
}

const decisionOf = (
  principal: Operator,
  params: { approval_id: string },
  reason: string | null | undefined,
  request: GatewayRequest,
) => {
  const { org_id, approval_id } = approvalOf(principal, params);
  return {
    org_id,
    approval_id,
    operator: {
      member_id: principal.memberId,
      key_id: principal.keyId,
      key_made_by: principal.madeBy,
      key_shown_to: [...principal.shownTo],
      role: principal.role,
      via: doorOf(request),
    },
    reason: reason ?? null,
    correlation_id: request.id,
  };
};
