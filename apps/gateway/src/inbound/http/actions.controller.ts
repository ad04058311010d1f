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
import { currentTraceparent } from '@agentlattice/observability';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req, Res } from '@nestjs/common';
import type { SubmitAction } from '../../application/submit-action.js';
import type { Principal } from '../../domain/principal.js';
import { SUBMIT_ACTION } from '../../tokens.js';
import { readPrefer } from '../../domain/prefer.js';
import { Caller, Handles, RequestInput } from './handles.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { applied, goneSignal } from './held-answer.js';

type Agent = Extract<Principal, { kind: 'agent' }>;

/** What agents ask about actions. */
@Controller()
export class ActionsController {
  constructor(
    @Inject(SUBMIT_ACTION) private readonly submitAction: SubmitAction,
    @Inject(COMMANDS) private readonly commands: CommandClient,
  ) {}

  @Handles(routes.submitAction)
  async submit(
    @Caller() principal: Agent,
    @RequestInput() { body, headers }: RouteInput<typeof routes.submitAction>,
    @Req() request: GatewayRequest,
    @Res({ passthrough: true }) reply: GatewayReply,
  ): Promise<RouteOutput<typeof routes.submitAction>> {
    const prefer = readPrefer(headers.prefer);
    const {
      status,
      body: answer,
      cleared,
    } = await this.submitAction.execute(principal, {
      actionType: body.action_type,
      // As they were sent: a schema's copy leaves out members such as `__proto__`, and the digest covers every one.
      metadata: sentMember(request.body, 'metadata') ?? {},
      dataAccessed: sentMember(request.body, 'data_accessed') ?? [],
      clientEventId: eventIdOf(headers),
      delegationId: headers['x-al-delegation-id'] ?? null,
      prefer,
      correlationId: request.id,
      traceparent: currentTraceparent(),
      gone: goneSignal(reply),
      judged: () => request.endLargeBody?.(),
    });
    request.cleared = cleared;
    applied(reply, prefer);
    reply.status(status);
    return answer;
  }

  @Handles(routes.checkPolicy)
  check(
    @Caller() principal: Principal,
    @RequestInput() { query }: RouteInput<typeof routes.checkPolicy>,
  ): Promise<RouteOutput<typeof routes.checkPolicy>> {
    return this.dryRun(principal, { action_type: query.action_type, metadata: {}, data_accessed: [] });
  }

  @Handles(routes.checkPolicyWithMetadata)
  checkWithMetadata(
    @Caller() principal: Principal,
    @RequestInput() { body }: RouteInput<typeof routes.checkPolicyWithMetadata>,
  ): Promise<RouteOutput<typeof routes.checkPolicyWithMetadata>> {
    return this.dryRun(principal, body);
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

  private async dryRun(
    principal: Principal,
    action: {
      action_type: string;
      metadata: Record<string, unknown>;
      data_accessed: Record<string, unknown>[];
    },
  ): Promise<RouteOutput<typeof routes.checkPolicy>> {
    const { decision, denial_reason, policy, conditions_evaluated } = await this.commands.request(
      policyEngineCommands.check,
      {
        org_id: principal.orgId,
        agent: principal.kind === 'agent' ? principal.agent : null,
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

const sentMember = (body: unknown, member: 'metadata' | 'data_accessed'): unknown =>
  (body as Readonly<Record<string, unknown>>)[member];

/** Both names of the idempotency key mean the same; two different values mean nothing. */
function eventIdOf(headers: {
  'x-al-event-id'?: string | undefined;
  'idempotency-key'?: string | undefined;
}) {
  const { 'x-al-event-id': own, 'idempotency-key': alias } = headers;
  if (own !== undefined && alias !== undefined && own !== alias)
    throw new Refused('VALIDATION_FAILED', 'X-AL-Event-ID and Idempotency-Key differ', {
      errors: [
        { pointer: '/headers/idempotency-key', detail: 'is an alias of X-AL-Event-ID and must be the same' },
      ],
    });
  return own ?? alias ?? null;
}
