import { auditLedgerCommands, type RouteInput, type RouteOutput, routes } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { COMMANDS } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import type { NameMembers } from '../../application/name-members.js';
import { withSystemReason } from '../../domain/audit-reason.js';
import { maskedAuditEvent, withheldSecrets } from '../../domain/masked-audit-event.js';
import type { Principal } from '../../domain/principal.js';
import { membersOfAuditEvents } from '../../domain/shown-members.js';
import { NAME_MEMBERS } from '../../tokens.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';

/** A full check may take as long as the route promises (decisions §6). */
const verifyWithinMs = 9_500;

/** The log as an auditor sees it (contract §7). */
@Controller()
export class AuditController {
  constructor(
    @Inject(COMMANDS) private readonly commands: CommandClient,
    @Inject(NAME_MEMBERS) private readonly nameMembers: NameMembers,
  ) {}

  @Handles(routes.listAuditEvents)
  async list(
    @Caller() principal: Principal,
    @RequestInput() { query: { cursor, limit, ...filter } }: RouteInput<typeof routes.listAuditEvents>,
  ): Promise<RouteOutput<typeof routes.listAuditEvents>> {
    const page = this.commands.request(auditLedgerCommands.search, {
      ...filter,
      ...(principal.kind === 'agent' ? { agent_id: principal.agent.id, with_delegates: true } : {}),
      org_id: principal.orgId,
      cursor: cursor ?? null,
      limit,
    });
    const named = await this.nameMembers(principal.orgId, page, membersOfAuditEvents);
    const events = named.events.map(withSystemReason);
    return { ...named, events: principal.kind === 'operator' ? events.map(maskedAuditEvent) : events };
  }

  @Handles(routes.verifyAudit)
  verify(
    @Caller() principal: Principal,
    @RequestInput() { query }: RouteInput<typeof routes.verifyAudit>,
  ): Promise<RouteOutput<typeof routes.verifyAudit>> {
    const wait = query.wait === 'true' && principal.kind === 'operator';
    return this.commands.request(
      auditLedgerCommands.verify,
      { org_id: principal.orgId, wait },
      { timeoutMs: verifyWithinMs },
    );
  }

  @Handles(routes.auditEntries)
  async entries(
    @Caller() { orgId }: Principal,
    @RequestInput() { query }: RouteInput<typeof routes.auditEntries>,
  ): Promise<string> {
    const { entries } = await this.commands.request(auditLedgerCommands.entries, { org_id: orgId, ...query });
    return entries.map((entry) => `${entry}\n`).join('');
  }

  @Handles(routes.auditDisclosed)
  async disclosed(
    @Caller() { orgId }: Principal,
    @RequestInput() { query }: RouteInput<typeof routes.auditDisclosed>,
  ): Promise<string> {
    const { contents, next } = await this.commands.request(auditLedgerCommands.disclosed, {
      org_id: orgId,
      ...query,
    });
    return [...contents.map(withheldSecrets), { next }].map((line) => `${JSON.stringify(line)}\n`).join('');
  }

  @Handles(routes.auditCheckpoint)
  async checkpoint(@Caller() { orgId }: Principal): Promise<string> {
    return (await this.commands.request(auditLedgerCommands.checkpoint, { org_id: orgId })).note;
  }

  @Handles(routes.auditKey)
  async key(@Caller() { orgId }: Principal): Promise<string> {
    return `${(await this.commands.request(auditLedgerCommands.verifier_key, { org_id: orgId })).key}\n`;
  }
}
