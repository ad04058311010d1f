import type { ApprovalTerms, CommandRequest, policyEngineCommands } from '@agentlattice/contracts';
import type pg from 'pg';
import type { RecordedEvent } from '../domain/replay-approval.js';
import { openedEventColumn, readOpenedEvent } from './opened-event.js';

type RejudgeItem = CommandRequest<(typeof policyEngineCommands)['rejudge']>['items'][number];

/** An action as the policies judge it again when its grant is used. */
export interface ApprovedAction {
  /** Judged at the current time; null when the submitted values are erased. */
  readonly judged: RejudgeItem | null;
  readonly onRemoved: ApprovalTerms['on_removed'];
  /** By the database's clock. */
  readonly now: Date;
}

interface Row extends Omit<RejudgeItem, 'agent' | 'metadata' | 'data_accessed' | 'judged_at'> {
  readonly opened_event: Required<RecordedEvent>;
  readonly metadata: string | null;
  readonly data_accessed: string | null;
  readonly on_removed: ApprovalTerms['on_removed'];
  readonly now: Date;
}

/** @returns null for a request that does not exist @throws UnreadableEvent */
export async function findApprovedAction(
  pool: pg.Pool,
  orgId: string,
  approvalId: string,
): Promise<ApprovedAction | null> {
  const { rows } = await pool.query<Row>(
    `SELECT a.approval_id, ${openedEventColumn} AS opened_event, a.action_type, a.terms ->> 'on_removed' AS on_removed,
            v.metadata, v.data_accessed, clock_timestamp() AS now
       FROM approval a
       JOIN event e ON e.org_id = a.org_id AND e.stream_id = a.approval_id AND e.version = 1
       LEFT JOIN private_value v ON v.org_id = a.org_id AND v.approval_id = a.approval_id
      WHERE a.org_id = $1 AND a.approval_id = $2`,
    [orgId, approvalId],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const { opened_event, metadata, data_accessed, on_removed: onRemoved, now, ...rest } = row;
  const { agent } = readOpenedEvent(opened_event);
  const judged =
    metadata === null || data_accessed === null
      ? null
      : { ...rest, agent, metadata, data_accessed, judged_at: now.toISOString() };
  return { judged, onRemoved, now };
}
