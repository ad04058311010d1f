import { auditLedgerCommands, type RouteInput, type RouteOutput, routes } from '@agentlattice/contracts';
import { canonicalJson } from '@agentlattice/ledger';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject, Req } from '@nestjs/common';
import type { Principal } from '../../domain/principal.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';
import type { GatewayRequest } from './http-request.js';

/** Reports of agents about their actions, and figures about them. */
@Controller()
export class ReportsController {
  constructor(@Inject(COMMANDS) private readonly commands: CommandClient) {}

  @Handles(routes.reportOutcome)
  report(
    @Caller() { orgId, agent }: Extract<Principal, { kind: 'agent' }>,
    @RequestInput() { body }: RouteInput<typeof routes.reportOutcome>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.reportOutcome>> {
    // The body as it was sent: the schema's copy lacks members such as `__proto__`, and the log binds every member.
    const { metadata } = (request.body as { outcome: { metadata?: unknown } }).outcome;
    return this.commands.request(auditLedgerCommands.report, {
      org_id: orgId,
      agent_id: agent.id,
      audit_event_id: body.audit_event_id,
      status: body.outcome.status,
      message: body.outcome.message ?? null,
      metadata: metadata === undefined || metadata === null ? null : canonicalJson(metadata),
    });
  }

  @Handles(routes.posture)
  posture(@Caller() principal: Principal): Promise<RouteOutput<typeof routes.posture>> {
    return this.commands.request(
      auditLedgerCommands.posture,
      { org_id: principal.orgId, agent_id: principal.kind === 'agent' ? principal.agent.id : null },
      { timeoutMs: 5_000 },
    );
  }
}
