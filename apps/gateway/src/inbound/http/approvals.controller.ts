import {
  approvalServiceCommands,
  Refused,
  type RouteInput,
  type RouteOutput,
  routes,
  typeId,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import type { Principal } from '../../domain/principal.js';
import { Caller, Handles, RequestInput } from './handles.js';

const approvalId = typeId('apr');
const agentIdOf = (principal: Principal) => (principal.kind === 'agent' ? principal.agent.id : null);

/** Requests that wait for a person. For an agent only its own exist (decisions §3.5). */
@Controller()
export class ApprovalsController {
  constructor(@Inject(COMMANDS) private readonly commands: CommandClient) {}

  @Handles(routes.approvalStatus)
  status(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.approvalStatus>,
  ): Promise<RouteOutput<typeof routes.approvalStatus>> {
    return this.statusOf(principal, params.approval_id);
  }

  @Handles(routes.approvalStatusUnversioned)
  statusUnversioned(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.approvalStatusUnversioned>,
  ): Promise<RouteOutput<typeof routes.approvalStatusUnversioned>> {
    return this.statusOf(principal, params.approval_id);
  }

  @Handles(routes.listApprovals)
  list(
    @Caller() principal: Principal,
    @RequestInput() { query: { cursor, limit, ...filter } }: RouteInput<typeof routes.listApprovals>,
  ): Promise<RouteOutput<typeof routes.listApprovals>> {
    const own = agentIdOf(principal);
    return this.commands.request(approvalServiceCommands.list_approvals, {
      ...filter,
      ...(own === null ? {} : { agent_id: own }),
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
    return this.commands.request(approvalServiceCommands.get_approval, one(principal, params.approval_id));
  }

  private statusOf(principal: Principal, approvalId: string) {
    return this.commands.request(approvalServiceCommands.approval_status, one(principal, approvalId));
  }
}

function one(principal: Principal, approval_id: string) {
  if (!approvalId.safeParse(approval_id).success)
    throw new Refused('NOT_FOUND', 'there is no such approval in this workspace');
  return { org_id: principal.orgId, approval_id, agent_id: agentIdOf(principal) };
}
