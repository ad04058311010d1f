import {
  policyEngineCommands,
  Refused,
  type RouteInput,
  type RouteOutput,
  routes,
  typeId,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req } from '@nestjs/common';
import type { Delegate } from '../../application/delegate.js';
import type { Principal } from '../../domain/principal.js';
import { DELEGATE } from '../../tokens.js';
import type { GatewayRequest } from './http-request.js';
import { requestContextOf } from './request-context.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';

const delegationId = typeId('del');

/** Child agents that act for others (docs/delegation.md). */
@Controller()
export class DelegationsController {
  constructor(
    @Inject(DELEGATE) private readonly makeChild: Delegate,
    @Inject(COMMANDS) private readonly commands: CommandClient,
  ) {}

  @Handles(routes.delegate)
  delegate(
    @Caller() principal: Extract<Principal, { kind: 'agent' }>,
    @RequestInput() { body }: RouteInput<typeof routes.delegate>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.delegate>> {
    return this.makeChild(principal, requestContextOf(principal, request), body);
  }

  @Handles(routes.endDelegation)
  end(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.endDelegation>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.endDelegation>> {
    return this.revoked(principal, params.delegation_id, request);
  }

  @Handles(routes.revokeDelegation)
  revoke(
    @Caller() principal: Principal,
    @RequestInput() { body }: RouteInput<typeof routes.revokeDelegation>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.revokeDelegation>> {
    return this.revoked(principal, body.delegation_id, request);
  }

  @Handles(routes.listDelegations)
  list(
    @Caller() principal: Principal,
    @RequestInput() { query }: RouteInput<typeof routes.listDelegations>,
  ): Promise<RouteOutput<typeof routes.listDelegations>> {
    return this.commands.request(policyEngineCommands.list_delegations, {
      org_id: principal.orgId,
      agent_id: principal.kind === 'agent' ? principal.agent.id : null,
      role: query.role ?? null,
      active_only: query.active_only === 'true',
      cursor: query.cursor ?? null,
      limit: query.limit,
    });
  }

  private async revoked(
    principal: Principal,
    delegation_id: string,
    request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.revokeDelegation>> {
    if (!delegationId.safeParse(delegation_id).success)
      throw new Refused('NOT_FOUND', 'there is no such delegation in this workspace');
    const { meta } = requestContextOf(principal, request);
    return this.commands.request(
      policyEngineCommands.revoke_delegation,
      {
        org_id: principal.orgId,
        actor: meta.actor,
        correlation_id: meta.correlation_id,
        delegation_id,
        agent_id: principal.kind === 'agent' ? principal.agent.id : null,
      },
      { traceparent: meta.traceparent ?? null },
    );
  }
}
