import { approvalServiceCommands, type RouteInput, type RouteOutput, routes } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req } from '@nestjs/common';
import type { NameMembers } from '../../application/name-members.js';
import { previewForever } from '../../application/preview-forever.js';
import { decidingOperatorOf, type Operator, type Principal } from '../../domain/principal.js';
import {
  membersOfApproval,
  membersOfApprovals,
  membersOfForeverPreview,
} from '../../domain/shown-members.js';
import { NAME_MEMBERS } from '../../tokens.js';
import { approvalReferenceOf } from './approval-reference.js';
import type { GatewayRequest } from './http-request.js';
import { viaOf } from './request-context.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';

/** Reading requests that wait for a person. For an agent only its own exist, and those of agents that act for it (decisions §3.5). */
@Controller()
export class ApprovalsController {
  constructor(
    @Inject(COMMANDS) private readonly commands: CommandClient,
    @Inject(NAME_MEMBERS) private readonly nameMembers: NameMembers,
  ) {}

  @Handles(routes.listApprovals)
  list(
    @Caller() principal: Principal,
    @RequestInput()
    { query: { cursor, limit, decidable, ...filter } }: RouteInput<typeof routes.listApprovals>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.listApprovals>> {
    const page = this.commands.request(approvalServiceCommands.list_approvals, {
      ...filter,
      ...(principal.kind === 'agent' ? { agent_id: principal.agent.id, with_delegates: true } : {}),
      org_id: principal.orgId,
      viewer: principal.kind === 'operator' ? decidingOperatorOf(principal, viaOf(principal, request)) : null,
      decidable: decidable === 'true',
      cursor: cursor ?? null,
      limit,
    });
    return this.nameMembers(principal.orgId, page, membersOfApprovals);
  }

  @Handles(routes.getApproval)
  get(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.getApproval>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.getApproval>> {
    const approval = this.commands.request(approvalServiceCommands.get_approval, {
      ...approvalReferenceOf(principal, params),
      ...(principal.kind === 'operator'
        ? { viewer: decidingOperatorOf(principal, viaOf(principal, request)) }
        : {}),
    });
    return this.nameMembers(principal.orgId, approval, membersOfApproval);
  }

  @Handles(routes.previewForever)
  forever(
    @Caller() principal: Operator,
    @RequestInput() { params, query }: RouteInput<typeof routes.previewForever>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.previewForever>> {
    const { org_id, approval_id } = approvalReferenceOf(principal, params);
    const preview = previewForever(this.commands, {
      org_id,
      approval_id,
      viewer: decidingOperatorOf(principal, viaOf(principal, request)),
      forever_for: query.forever_for,
    });
    return this.nameMembers(org_id, preview, membersOfForeverPreview);
  }

  @Handles(routes.denialReasons)
  denialReasons(@Caller() { orgId }: Operator): Promise<RouteOutput<typeof routes.denialReasons>> {
    return this.commands.request(approvalServiceCommands.denial_reasons, { org_id: orgId });
  }

  @Handles(routes.overview)
  overview(
    @Caller() { orgId }: Operator,
    @RequestInput() { query }: RouteInput<typeof routes.overview>,
  ): Promise<RouteOutput<typeof routes.overview>> {
    return this.commands.request(
      approvalServiceCommands.overview,
      { org_id: orgId, ...query },
      { timeoutMs: 5_000 },
    );
  }
}
