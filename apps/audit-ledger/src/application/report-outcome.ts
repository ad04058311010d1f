import {
  type auditLedgerCommands,
  type CommandRequest,
  Refused,
  type ReportResult,
  Unavailable,
} from '@agentlattice/contracts';
import type { Entry } from '@agentlattice/ledger';
import type { ReportDraft } from '../domain/draft.js';
import { readReport } from '../domain/read-report.js';

export interface ReportPorts {
  /** The entry of an agent's own submission; null for anything else. */
  readonly findAction: (
    asked: Pick<CommandRequest<typeof auditLedgerCommands.report>, 'org_id' | 'agent_id' | 'audit_event_id'>,
  ) => Promise<Entry | null>;
  /** Resolves with the entry once it is on disk. */
  readonly append: (draft: ReportDraft) => Promise<Entry>;
  readonly newId: () => string;
  readonly newSalt: () => string;
}

/** Takes down how an action went. Every report is an entry; the last one stands. */
export const makeReportOutcome =
  ({ findAction, append, newId, newSalt }: ReportPorts) =>
  /** @throws Refused NOT_FOUND (also for another agent's event), NOT_REPORTABLE; Unavailable */
  async (request: CommandRequest<typeof auditLedgerCommands.report>): Promise<ReportResult> => {
    const action = await findAction(request);
    if (action === null) throw new Refused('NOT_FOUND', 'the agent has no such audit event');
    const draft = readReport(request, action, { id: newId(), newSalt });
    const { time } = await append(draft).catch((error: unknown) => {
      throw new Unavailable(
        `the report could not be written (${error instanceof Error ? error.message : 'unknown'})`,
      );
    });
    return { audit_event_id: action.id, status: request.status, reported_at: time };
  };
