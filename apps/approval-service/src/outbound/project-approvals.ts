import type { ApprovalTerms, PolicyRef, Vote } from '@agentlattice/contracts';
import {
  type Erasable,
  type Statement,
  storable,
  type StoredEvent,
  type Tx,
} from '@agentlattice/event-store';
import { assertNever } from '@agentlattice/decider';
import type { KnownApproval } from '../domain/approval.js';
import { readApprovalEvent } from '../domain/replay-approval.js';

/** The changes of an approval's row; null leaves a column unchanged. */
interface RowChange {
  readonly status: KnownApproval['status'] | null;
  readonly escalation_level: number | null;
  readonly policy: PolicyRef | null;
  readonly terms: ApprovalTerms | null;
  readonly denial_reason: string | null;
  readonly scope: string | null;
  readonly grant_expires_at: string | null;
  readonly resolved_by: string | null;
  readonly resolved_at: string | null;
  readonly resolving_event_id: string | null;
  /** Added to those of earlier votes. */
  readonly seen_ms: readonly number[] | null;
}

/** Updates the rows of approvals by their events and stores the erasable values, in the transaction of the events. */
export async function projectApprovals(tx: Tx, events: readonly StoredEvent[]): Promise<void> {
  for (const { text, values } of projectApprovalsStatements(events)) await tx.query(text, [...values]);
}

/** Returns the updated rows; with the request's content if a person decided, who is shown it. */
export const changedRows = `RETURNING a.*, greatest(0, extract(epoch FROM a.deadline_at - clock_timestamp()))::float8 AS time_left,
    CASE WHEN c.status IN ('approved', 'denied') THEN
      (SELECT jsonb_build_object('metadata', v.metadata, 'data_accessed', v.data_accessed,
                                 'conditions_evaluated', v.conditions_evaluated) FROM private_value v
        WHERE v.org_id = a.org_id AND v.approval_id = a.approval_id) END AS private`;

/**
 * The same as statements, for callers that send them together with others: one statement changes the rows, stores the
 * erasable values and deletes the rows of requests that are not open any more.
 */
export function projectApprovalsStatements(
  events: readonly StoredEvent[],
  returning: typeof changedRows | '' = '',
): Statement[] {
  if (events.length === 0) return [];
  const rows = changes(events);
  return [
    {
      // The limit makes the planner expect few rows. Otherwise it plans to read the whole table while that is small, and
      // keeps that plan.
      text: `WITH change AS MATERIALIZED (
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS k (org_id, approval_id, change)
        CROSS JOIN LATERAL jsonb_to_record(k.change::jsonb)
          AS r (version int, status text, escalation_level int, policy jsonb, terms jsonb, denial_reason text,
                scope text, grant_expires_at timestamptz, resolved_by text, resolved_at timestamptz,
                resolving_event_id text, seen_ms int[])
        LIMIT $4),
     closed AS (
       DELETE FROM open_request o USING change c
        WHERE o.org_id = c.org_id AND o.approval_id = c.approval_id AND c.status <> 'escalated'),
     erasable AS (
       INSERT INTO event_value (org_id, event_id, approval_id, name, value)
       SELECT * FROM unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[]))
     UPDATE approval a
        SET status = coalesce(c.status, a.status),
            escalation_level = greatest(a.escalation_level, c.escalation_level),
            policy = coalesce(c.policy, a.policy),
            policy_id = coalesce(c.policy ->> 'id', a.policy_id),
            terms = coalesce(c.terms, a.terms),
            denial_reason = coalesce(c.denial_reason, a.denial_reason),
            scope = coalesce(c.scope, a.scope),
            grant_expires_at = coalesce(c.grant_expires_at, a.grant_expires_at),
            resolved_by = coalesce(c.resolved_by, a.resolved_by),
            resolved_at = coalesce(c.resolved_at, a.resolved_at),
            resolving_event_id = coalesce(c.resolving_event_id, a.resolving_event_id),
            seen_ms = a.seen_ms || c.seen_ms,
            version = c.version
       FROM change c
      WHERE a.org_id = c.org_id AND a.approval_id = c.approval_id ${returning}`,
      values: [...columns(rows, 3), rows.length, ...columns(erasableValueRows(events), 5)],
    },
  ];
}

/** The changes of each request's row by the events. */
function changes(events: readonly StoredEvent[]): (readonly string[])[] {
  const streams = Map.groupBy(events, ({ org_id, stream_id }) => `${org_id}/${stream_id}`);
  return [...streams.values()].flatMap((own) => {
    const [first] = own;
    const change = { version: own.at(-1)?.version, ...own.map(changeOf).reduce(together) };
    return first === undefined ? [] : [[first.org_id, first.stream_id, JSON.stringify(change)] as const];
  });
}

const nothing: RowChange = {
  status: null,
  escalation_level: null,
  policy: null,
  terms: null,
  denial_reason: null,
  scope: null,
  grant_expires_at: null,
  resolved_by: null,
  resolved_at: null,
  resolving_event_id: null,
  seen_ms: null,
};

function changeOf(stored: StoredEvent): RowChange {
  const event = readApprovalEvent(stored);
  switch (event.type) {
    case 'approval.vote_cast':
      return { ...nothing, seen_ms: seenIn(event.data.vote) };
    case 'approval.opened':
    case 'approval.vote_withdrawn':
    // The row does not change; only the events say whether the grant was used.
    case 'approval.grant_consumed':
      return nothing;
    case 'approval.escalated':
      return { ...nothing, status: 'escalated', escalation_level: event.data.level };
    case 'approval.policy_changed':
      return { ...nothing, policy: event.data.policy, terms: event.data.terms };
    case 'approval.approved': {
      const { scope, grant_expires_at } = event.data;
      return {
        ...ended(stored, 'approved'),
        scope,
        grant_expires_at,
        seen_ms: seenIn(lastVote(stored, event.data)),
      };
    }
    case 'approval.denied':
      return {
        ...ended(stored, 'denied'),
        denial_reason: event.data.denial_reason,
        seen_ms: seenIn(lastVote(stored, event.data)),
      };
    case 'approval.cancelled':
      return { ...ended(stored, 'cancelled'), denial_reason: 'CANCELLED' };
    case 'approval.timed_out':
      return { ...ended(stored, 'timed_out'), denial_reason: 'approval_timeout' };
    default:
      return assertNever(event);
  }
}

/** The vote that completed the request, which no earlier event has; none if the system ended it. */
const lastVote = ({ meta: { actor } }: StoredEvent, { votes }: { readonly votes: readonly Vote[] }) =>
  actor?.kind === 'operator' ? votes.at(-1) : undefined;
const seenIn = (vote: Vote | undefined) => (vote?.seen_ms === undefined ? null : [vote.seen_ms]);

const ended = ({ event_id, occurred_at, meta: { actor } }: StoredEvent, status: KnownApproval['status']) => ({
  ...nothing,
  status,
  resolved_by: actor?.kind === 'operator' ? actor.id : null,
  resolved_at: occurred_at.toISOString(),
  resolving_event_id: event_id,
});

const together = (earlier: RowChange, later: RowChange): RowChange => ({
  ...earlier,
  ...(Object.fromEntries(Object.entries(later).filter(([, value]) => value !== null)) as Partial<RowChange>),
  seen_ms: later.seen_ms === null ? earlier.seen_ms : [...(earlier.seen_ms ?? []), ...later.seen_ms],
});

const erasableValueRows = (events: readonly StoredEvent[]) =>
  events.flatMap(({ org_id, event_id, stream_id, erasable }) =>
    Object.entries(erasableValuesOf(erasable)).map(
      ([name, value]) => [org_id, event_id, stream_id, name, value] as const,
    ),
  );

/** The erasable values of an event that are stored: those that are not empty. */
export const erasableValuesOf = (erasable: Erasable = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(erasable).flatMap(([name, value]) => (value ? [[name, storable(value)] as const] : [])),
  );

const columns = (rows: readonly (readonly string[])[], count: number) =>
  Array.from({ length: count }, (_, column) => rows.map((row) => row[column]));
