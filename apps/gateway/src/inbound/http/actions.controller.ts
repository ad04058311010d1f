import {
  approvalServiceCommands,
  auditLedgerCommands,
  policyEngineCommands,
  Refused,
  type RouteInput,
  type RouteOutput,
  routes,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req } from '@nestjs/common';
import { existingActingAgent } from '../../application/existing-principals.js';
import type { Principal } from '../../domain/principal.js';
import type { PrincipalStore } from '../../outbound/principal-store.js';
import { STORE } from '../../tokens.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';
import type { GatewayRequest } from './http-request.js';

type Agent = Extract<Principal, { kind: 'agent' }>;

/** The routes of agents about actions, except submissions. */
@Controller()
export class ActionsController {
  constructor(
    @Inject(COMMANDS) private readonly commands: CommandClient,
    @Inject(STORE) private readonly store: PrincipalStore,
  ) {}

  @Handles(routes.checkPolicy)
  check(
    @Caller() principal: Principal,
    @RequestInput() { query }: RouteInput<typeof routes.checkPolicy>,
  ): Promise<RouteOutput<typeof routes.checkPolicy>> {
    const agent = principal.kind === 'agent' ? principal.agent : null;
    return this.dryRun(principal, { action_type: query.action_type, metadata: {}, data_accessed: [] }, agent);
  }

  @Handles(routes.checkPolicyWithMetadata)
  async checkWithMetadata(
    @Caller() principal: Principal,
    @RequestInput() { body: { agent_id, ...action } }: RouteInput<typeof routes.checkPolicyWithMetadata>,
  ): Promise<RouteOutput<typeof routes.checkPolicyWithMetadata>> {
    return this.dryRun(principal, action, await this.namedAgent(principal, agent_id));
  }

  @Handles(routes.issueGrant)
  issueGrant(
    @Caller() { orgId, agent }: Agent,
    @RequestInput() { body }: RouteInput<typeof routes.issueGrant>,
  ): Promise<RouteOutput<typeof routes.issueGrant>> {
    return this.commands.request(auditLedgerCommands.issue_grant, {
      org_id: orgId,
      agent_id: agent.id,
      audit_event_id: body.audit_event_id,
    });
  }

  @Handles(routes.consumeGrant)
  consumeGrant(
    @Caller() principal: Principal,
    @RequestInput() { body }: RouteInput<typeof routes.consumeGrant>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.consumeGrant>> {
    return this.commands.request(approvalServiceCommands.consume_grant, {
      org_id: principal.orgId,
      agent_id: principal.kind === 'agent' ? principal.agent.id : null,
      key_id: principal.keyId,
      correlation_id: request.id,
      ...body,
    });
  }

  /** The agent that the action would be of: the caller, or one that an operator or a service names. */
  private async namedAgent(
    principal: Principal,
    agentId: string | undefined,
  ): Promise<Agent['agent'] | null> {
    if (principal.kind === 'agent') {
      if (agentId !== undefined && agentId !== principal.agent.id)
        throw new Refused('FORBIDDEN', 'an agent is judged as itself, so it cannot name another one');
      return principal.agent;
    }
    if (agentId === undefined) return null;
    return existingActingAgent(this.store, principal.orgId, agentId);
  }

  private async dryRun(
    principal: Principal,
    action: {
      action_type: string;
      metadata: Record<string, unknown>;
      data_accessed: Record<string, unknown>[];
    },
    agent: Agent['agent'] | null,
  ): Promise<RouteOutput<typeof routes.checkPolicy>> {
    const { decision, denial_reason, policy, conditions_evaluated } = await this.commands.request(
      policyEngineCommands.check,
      {
        org_id: principal.orgId,
        agent,
        action_type: action.action_type,
        metadata: action.metadata,
        data_accessed: action.data_accessed,
      },
    );
    const reasons = {
      executed: `allowed by the policy ${policy?.name ?? ''}`,
      requested: `the policy ${policy?.name ?? ''} asks for a human's approval`,
      denied: `denied: ${denial_reason ?? ''}`,
    };
    return {
      allowed: decision === 'executed',
      needs_approval: decision === 'requested',
      action_type: action.action_type,
      policy_name: policy?.name ?? null,
      reason: reasons[decision],
      conditions_evaluated,
    };
  }
}
