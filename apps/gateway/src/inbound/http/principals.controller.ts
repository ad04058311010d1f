import { policyEngineCommands, type RouteInput, type RouteOutput, routes } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req } from '@nestjs/common';
import type { Principals } from '../../application/principals.js';
import type { Principal } from '../../domain/principal.js';
import type { PrincipalStore } from '../../outbound/principal-store.js';
import { PRINCIPALS, STORE } from '../../tokens.js';
import { pageOf } from './page-of.js';
import { requestContextOf } from './request-context.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';
import type { GatewayRequest } from './http-request.js';
import { summaryOf } from './policies.controller.js';

/** Agents, members and keys of the workspace. */
@Controller()
export class PrincipalsController {
  constructor(
    @Inject(PRINCIPALS) private readonly principals: Principals,
    @Inject(STORE) private readonly store: PrincipalStore,
    @Inject(COMMANDS) private readonly commands: CommandClient,
  ) {}

  @Handles(routes.whoami)
  async whoami(@Caller() principal: Principal): Promise<RouteOutput<typeof routes.whoami>> {
    const { policies } = await this.commands.request(policyEngineCommands.list_policies, {
      org_id: principal.orgId,
      action_type: null,
      active: true,
      cursor: null,
      limit: 200,
    });
    const { kind } = principal;
    const suspended = kind === 'agent' && principal.agent.suspended;
    return {
      config_id:
        kind === 'agent' ? principal.agent.id : kind === 'operator' ? principal.memberId : principal.keyId,
      kind,
      name: principal.name,
      org_id: principal.orgId,
      is_active: !suspended,
      cb_state: suspended ? 'open' : 'closed',
      role: kind === 'operator' ? principal.role : null,
      instance_admin: kind === 'operator' && principal.instanceAdmin,
      scopes: kind === 'service' ? [...principal.scopes] : [],
      calibration: {},
      policies: policies.map(summaryOf),
      delegations: { as_parent: [], as_child: [] },
    };
  }

  @Handles(routes.registerAgent)
  async registerAgent(
    @Caller() principal: Principal,
    @RequestInput() { body }: RouteInput<typeof routes.registerAgent>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.registerAgent>> {
    const { agent, key } = await this.principals.registerAgent(requestContextOf(principal, request), body);
    return { id: agent.id, name: agent.name, api_key: key, created_at: agent.created_at };
  }

  @Handles(routes.listAgents)
  async listAgents(
    @Caller() { orgId }: Principal,
    @RequestInput() { query }: RouteInput<typeof routes.listAgents>,
  ): Promise<RouteOutput<typeof routes.listAgents>> {
    const { items, next_cursor } = await pageOf('agt', query, (page) => this.store.agents(orgId, page));
    return { agents: items, next_cursor };
  }

  @Handles(routes.getAgent)
  getAgent(
    @Caller() { orgId }: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.getAgent>,
  ): Promise<RouteOutput<typeof routes.getAgent>> {
    return this.principals.agentOf(orgId, params.agent_id);
  }

  @Handles(routes.suspendAgent)
  suspendAgent(
    @Caller() principal: Principal,
    @RequestInput() { params, body }: RouteInput<typeof routes.suspendAgent>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.suspendAgent>> {
    return this.principals.changeAgent(
      requestContextOf(principal, request),
      params.agent_id,
      { type: 'SuspendAgent', pending: body.pending },
      body.reason ?? null,
    );
  }

  @Handles(routes.resumeAgent)
  resumeAgent(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.resumeAgent>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.resumeAgent>> {
    return this.principals.changeAgent(requestContextOf(principal, request), params.agent_id, {
      type: 'ResumeAgent',
    });
  }

  @Handles(routes.listMembers)
  async listMembers(
    @Caller() { orgId }: Principal,
    @RequestInput() { query }: RouteInput<typeof routes.listMembers>,
  ): Promise<RouteOutput<typeof routes.listMembers>> {
    const { items, next_cursor } = await pageOf('mbr', query, (page) => this.store.members(orgId, page));
    return { members: items, next_cursor };
  }

  @Handles(routes.createMember)
  createMember(
    @Caller() principal: Principal,
    @RequestInput() { body }: RouteInput<typeof routes.createMember>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.createMember>> {
    return this.principals.createMember(requestContextOf(principal, request), body);
  }

  @Handles(routes.listKeys)
  async listKeys(
    @Caller() { orgId }: Principal,
    @RequestInput() { query }: RouteInput<typeof routes.listKeys>,
  ): Promise<RouteOutput<typeof routes.listKeys>> {
    const { items, next_cursor } = await pageOf('key', query, (page) => this.store.keys(orgId, page));
    return { keys: items, next_cursor };
  }

  @Handles(routes.createKey)
  createKey(
    @Caller() principal: Principal,
    @RequestInput() { body }: RouteInput<typeof routes.createKey>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.createKey>> {
    return this.principals.createKey(requestContextOf(principal, request), {
      name: body.name,
      kind: body.kind,
      role: body.role ?? null,
      scopes: body.scopes ?? [],
      memberId: body.member_id ?? null,
      agentId: body.agent_id ?? null,
      expiresAt: body.expires_at ?? null,
    });
  }

  @Handles(routes.rotateKey)
  rotateKey(
    @Caller() principal: Principal,
    @RequestInput() { params, body }: RouteInput<typeof routes.rotateKey>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.rotateKey>> {
    return this.principals.rotateKey(requestContextOf(principal, request), params.key_id, body.overlap);
  }

  @Handles(routes.revokeKey)
  revokeKey(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.revokeKey>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.revokeKey>> {
    return this.principals.revokeKey(requestContextOf(principal, request), params.key_id);
  }
}
