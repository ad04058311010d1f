import { approvalServiceCommands, type RouteInput, type RouteOutput, routes } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import type { Principal } from '../../domain/principal.js';
import { approvalOf } from './approval-of.js';
import { Caller, Handles, RequestInput } from './handles.js';

/** Reading requests that wait for a person. For an agent only its own exist (decisions §3.5). */
@Controller()
export class ApprovalsController {
  constructor(@Inject(COMMANDS) private readonly commands: CommandClient) {}

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
}
