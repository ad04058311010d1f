import {
  type PolicySummary,
  policyEngineCommands,
  type PolicyView,
  Refused,
  type RouteInput,
  type RouteOutput,
  routes,
  typeId,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req, Res } from '@nestjs/common';
import { holdersOf } from '../../domain/key-maker.js';
import { actorOf, type Principal } from '../../domain/principal.js';
import { viaOf } from './request-context.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';

const policyId = typeId('pol');

/** The workspace's policies; the policy-engine owns them and judges every change again. */
@Controller()
export class PoliciesController {
  constructor(@Inject(COMMANDS) private readonly commands: CommandClient) {}

  @Handles(routes.listPolicies)
  async list(
    @Caller() principal: Principal,
    @RequestInput() { query }: RouteInput<typeof routes.listPolicies>,
  ): Promise<RouteOutput<typeof routes.listPolicies>> {
    const { action_type, active, cursor, limit } = query;
    const scope = query.scope ?? (principal.kind === 'agent' ? 'own' : 'org');
    const { policies, next_cursor } = await this.commands.request(policyEngineCommands.list_policies, {
      org_id: principal.orgId,
      action_type: action_type ?? null,
      active: scope === 'own' ? true : active === undefined ? null : active === 'true',
      cursor: cursor ?? null,
      limit,
    });
    return { scope, policies: principal.kind === 'agent' ? policies.map(summaryOf) : policies, next_cursor };
  }

  @Handles(routes.createPolicy)
  async create(
    @Caller() principal: Principal,
    @RequestInput() { body }: RouteInput<typeof routes.createPolicy>,
    @Req() request: GatewayRequest,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.createPolicy>> {
    const policy = await this.commands.request(policyEngineCommands.create_policy, {
      ...changeOf(principal, request),
      policy: body,
    });
    reply.header('location', `/api/v1/policies/${policy.id}`);
    return tagged(policy, reply);
  }

  @Handles(routes.getPolicy)
  async get(
    @Caller() principal: Principal,
    @RequestInput() { params }: RouteInput<typeof routes.getPolicy>,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.getPolicy>> {
    const asked = { org_id: principal.orgId, policy_id: policyIdOf(params.policy_id) };
    return tagged(await this.commands.request(policyEngineCommands.get_policy, asked), reply);
  }

  @Handles(routes.updatePolicy)
  async update(
    @Caller() principal: Principal,
    @RequestInput() { params, headers, body }: RouteInput<typeof routes.updatePolicy>,
    @Req() request: GatewayRequest,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.updatePolicy>> {
    const policy = await this.commands.request(policyEngineCommands.update_policy, {
      ...changeOf(principal, request),
      policy_id: policyIdOf(params.policy_id),
      patch: body,
      expected_version: versionOf(headers['if-match']),
    });
    return tagged(policy, reply);
  }

  @Handles(routes.deletePolicy)
  async delete(
    @Caller() principal: Principal,
    @RequestInput() { params, headers }: RouteInput<typeof routes.deletePolicy>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.deletePolicy>> {
    const { policy_id, version } = await this.commands.request(policyEngineCommands.delete_policy, {
      ...changeOf(principal, request),
      policy_id: policyIdOf(params.policy_id),
      expected_version: versionOf(headers['if-match']),
    });
    return { id: policy_id, deleted: true, version };
  }

  @Handles(routes.listPolicyVersions)
  versions(
    @Caller() principal: Principal,
    @RequestInput() { params, query }: RouteInput<typeof routes.listPolicyVersions>,
  ): Promise<RouteOutput<typeof routes.listPolicyVersions>> {
    return this.commands.request(policyEngineCommands.list_versions, {
      org_id: principal.orgId,
      policy_id: policyIdOf(params.policy_id),
      cursor: query.cursor ?? null,
      limit: query.limit,
    });
  }
}

/** A policy as agents see it: no conditions, no contacts (decisions §3.5). */
export function summaryOf(policy: PolicyView): PolicySummary {
  const { id, name, action_type, effect, approval_required, has_conditions, version, active, created_at } =
    policy;
  return { id, name, action_type, effect, approval_required, has_conditions, version, active, created_at };
}

const changeOf = (principal: Principal, request: GatewayRequest) => ({
  org_id: principal.orgId,
  actor: actorOf(principal, viaOf(principal, request)),
  correlation_id: request.id,
  key_holders: holdersOf(principal),
  // The member who made a key is the author of what it writes.
  ...(principal.kind === 'service' && principal.madeBy !== null ? { written_by: principal.madeBy } : {}),
});

function policyIdOf(text: string): string {
  if (!policyId.safeParse(text).success)
    throw new Refused('NOT_FOUND', 'there is no such policy in this workspace');
  return text;
}

function tagged(policy: PolicyView, reply: GatewayReply): PolicyView {
  reply.header('etag', `"${String(policy.version)}"`);
  return policy;
}

/** The version that an If-Match names (RFC 9110 §13.1.1); `*` or no header means the current one. */
function versionOf(ifMatch: string | undefined): number | null {
  if (ifMatch === undefined || ifMatch.trim() === '*') return null;
  const version = /^\s*"(\d{1,9})"\s*$/.exec(ifMatch)?.[1];
  if (version === undefined || version === '0')
    throw new Refused('PRECONDITION_FAILED', 'If-Match takes the ETag of one version, such as "3"');
  return Number(version);
}
