import type { ApprovalTerms, EventData } from '@agentlattice/contracts';
import type pg from 'pg';
import type { RecordedEvent } from '../domain/replay-approval.js';
import { openedEventColumn, openedEventOf } from './opened-event.js';

export interface RequestRef {
  readonly org_id: string;
  readonly approval_id: string;
}

/** An open request that possibly no member can decide, with the data to find out. */
export interface UndecidableSuspect extends RequestRef {
  readonly traceparent: string | null;
  readonly terms: ApprovalTerms;
  readonly created_at: Date;
  readonly deadline_at: Date;
  /** Null when it cannot be read: the request stays open, and every command on it fails with the reason. */
  readonly opened: EventData<'approval.opened'> | null;
}
interface SuspectRow extends Omit<UndecidableSuspect, 'opened'> {
  readonly opened_event: Required<RecordedEvent>;
}

/** Open requests that ask for more than any one member, and that were not escalated before. */
const selectSuspects = (
  from: string,
) => `SELECT a.org_id, a.approval_id, a.traceparent, a.terms, a.created_at, a.deadline_at,
    (SELECT ${openedEventColumn} FROM event e
      WHERE e.org_id = a.org_id AND e.stream_id = a.approval_id AND e.version = 1) AS opened_event
  FROM ${from} JOIN approval a USING (org_id, approval_id)
 WHERE a.escalation_level = 0 AND o.deadline_at > clock_timestamp()
   AND ((a.terms ->> 'approvals_required')::int > 1 OR jsonb_array_length(a.terms -> 'approver_groups') > 0
        OR (a.terms ->> 'separation_of_duties')::boolean)
   AND (a.terms ->> 'on_no_approver' = 'deny' OR jsonb_array_length(a.terms -> 'escalation') > 0)`;

const selectSuspectsAmong = selectSuspects(
  `(SELECT * FROM unnest($1::text[], $2::text[]) AS k (org_id, approval_id) LIMIT $3) AS k
    JOIN open_request o USING (org_id, approval_id)`,
);
const selectPage = `${selectSuspects('open_request o')}
   AND (o.org_id, o.deadline_at, o.approval_id) > ($1::text, $2::timestamptz, $3::text)
 ORDER BY o.org_id, o.deadline_at, o.approval_id LIMIT $4`;

/** The given requests that possibly no member can decide. */
export async function findSuspectsAmong(
  pool: pg.Pool,
  requests: readonly RequestRef[],
): Promise<UndecidableSuspect[]> {
  const { rows } = await pool.query<SuspectRow>(selectSuspectsAmong, [
    requests.map(({ org_id }) => org_id),
    requests.map(({ approval_id }) => approval_id),
    requests.length,
  ]);
  return suspectsOf(rows);
}

/** A page of all suspects, after the given one. */
export async function findSuspectsAfter(
  pool: pg.Pool,
  last: UndecidableSuspect | undefined,
  limit: number,
): Promise<UndecidableSuspect[]> {
  const { rows } = await pool.query<SuspectRow>(selectPage, [
    last?.org_id ?? '',
    last?.deadline_at ?? new Date(0),
    last?.approval_id ?? '',
    limit,
  ]);
  return suspectsOf(rows);
}

const suspectsOf = (rows: readonly SuspectRow[]): UndecidableSuspect[] =>
  rows.map(({ opened_event, ...row }) => ({ ...row, opened: openedEventOf(opened_event) }));
