import { policyEngineCommands, type RouteInput, type RouteOutput, routes } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req } from '@nestjs/common';
import type { GatewayConfig } from '../../config.js';
import type { ChangeAgent } from '../../application/change-agent.js';
import type { CreateKey } from '../../application/create-key.js';
import { existingAgent } from '../../application/existing-principals.js';
import type { RegisterAgent } from '../../application/register-agent.js';
import type { RevokeKey } from '../../application/revoke-key.js';
import type { RotateKey } from '../../application/rotate-key.js';
import type { Principal } from '../../domain/principal.js';
import type { PrincipalStore } from '../../outbound/principal-store.js';
import {
  CHANGE_AGENT,
  CREATE_KEY,
  GATEWAY_CONFIG,
  REGISTER_AGENT,
  REVOKE_KEY,
  ROTATE_KEY,
  STORE,
} from '../../tokens.js';
import { pageOf } from './page-of.js';
import { requestContextOf } from './request-context.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';
import type { GatewayRequest } from './http-request.js';
import { summaryOf } from './policies.controller.js';

/** Agents, members and keys of the workspace. */
@Controller()
export class PrincipalsController {
  constructor(
    @Inject(REGISTER_AGENT) private readonly register: RegisterAgent,
    @Inject(CHANGE_AGENT) private readonly changeAgent: ChangeAgent,
    @Inject(CREATE_KEY) private readonly makeKey: CreateKey,
    @Inject(ROTATE_KEY) private readonly rotate: RotateKey,
    @Inject(REVOKE_KEY) private readonly revoke: RevokeKey,
    @Inject(STORE) private readonly store: PrincipalStore,
    @Inject(COMMANDS) private readonly commands: CommandClient,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'mcpElicitation'>,
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
      ...(kind === 'operator' && { mcp_elicitation: this.config.mcpElicitation }),
      calibration: {},
      policies: policies.map(summaryOf),
      delegations: await this.delegationsOf(principal),
    };
  }

  private async delegationsOf(
    principal: Principal,
  ): Promise<RouteOutput<typeof routes.whoami>['delegations']> {
    if (principal.kind !== 'agent') return { as_parent: [], as_child: [] };
    const list = async (role: 'parent' | 'child', active_only: boolean) => {
      const { delegations } = await this.commands.request(policyEngineCommands.list_delegations, {
        org_id: principal.orgId,
        agent_id: principal.agent.id,
        role,
        active_only,
        cursor: null,
        limit: 200,
      });
      return delegations;
    };
    const [as_parent, as_child] = await Promise.all([list('parent', true), list('child', false)]);
    return { as_parent, as_child };
  }

  @Handles(routes.registerAgent)
  async registerAgent(
    @Caller() principal: Principal,
    @RequestInput() { body }: RouteInput<typeof routes.registerAgent>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.registerAgent>> {
    const { agent, key } = await this.register(requestContextOf(principal, request), body);
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
    return existingAgent(this.store, orgId, params.agent_id);
  }

  @Handles(routes.suspendAgent)
  suspendAgent(
    @Caller() principal: Principal,
    @RequestInput() { params, body }: RouteInput<typeof routes.suspendAgent>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.suspendAgent>> {
    return this.changeAgent(
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
    return this.changeAgent(requestContextOf(principal, request), params.agent_id, {
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
    return this.makeKey(requestContextOf(principal, request), {
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
    return this.rotate(requestContextOf(principal, request), params.key_id, body.overlap);
  }

  @Handles(routes.revokeKey)
  revokeKey(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.revokeKey>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.revokeKey>> {
    return this.revoke(requestContextOf(principal, request), params.key_id);
  }
}
