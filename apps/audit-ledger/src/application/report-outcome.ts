import { setTimeout as sleep } from 'node:timers/promises';
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
  /** The decision of a request by the log; null while the log has none. */
  readonly findDecision: (asked: { org_id: string; approval_id: string }) => Promise<string | null>;
  /** Fetches missing events of other services, in the background. */
  readonly catchUp: () => void;
  /** Resolves with the entry once it is on disk. */
  readonly append: (draft: ReportDraft) => Promise<Entry>;
  readonly newId: () => string;
  readonly newSalt: () => string;
}

/** A decision's entry follows the decision (decisions §2.3), and the agent may report before it is written. */
const withinMs = 1_500;
const againAfterMs = 100;

/** Records the outcome of an action. Every report is an entry; the last one counts. */
export const makeReportOutcome =
  ({ findAction, findDecision, catchUp, append, newId, newSalt }: ReportPorts) =>
  /** @throws Refused NOT_FOUND (also for another agent's event), NOT_REPORTABLE; Unavailable */
  async (request: CommandRequest<typeof auditLedgerCommands.report>): Promise<ReportResult> => {
    const action = await findAction(request);
    if (action === null) throw new Refused('NOT_FOUND', 'the agent has no such audit event');
    await checkApproved(action);
    const draft = readReport(request, action, { id: newId(), newSalt });
    const { time } = await append(draft).catch((error: unknown) => {
      throw new Unavailable(
        `the report could not be written (${error instanceof Error ? error.message : 'unknown'})`,
      );
    });
    return { audit_event_id: action.id, status: request.status, reported_at: time };

    /** An action that is pending or was not approved cannot have been executed. */
    async function checkApproved({ decision, org_id, approval_id }: Entry): Promise<void> {
      if (decision !== 'requested' || approval_id === null) return;
      const end = performance.now() + withinMs;
      let found = await findDecision({ org_id, approval_id });
      if (found === null) catchUp();
      while (found === null && performance.now() < end) {
        await sleep(againAfterMs);
        found = await findDecision({ org_id, approval_id });
      }
      if (found !== 'approved')
        throw new Refused(
          'NOT_REPORTABLE',
          found === null
            ? 'the request is not decided yet; there is nothing to report'
            : 'the request was not approved; there is nothing to report',
        );
    }
  };
