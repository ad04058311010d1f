import type pg from 'pg';
import type { Person } from '../domain/may-decide.js';

/** A member who changed, as this service knows the member now. */
export interface ChangedMember {
  readonly org_id: string;
  readonly member_id: string;
  readonly event_id: string;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
  /** Null: removed. */
  readonly person: Person | null;
  /** Whether no vote that was decided by the earlier role can be committed any more. */
  readonly settled: boolean;
}

/** Longer than a decision can take: it read the member before the change, and its vote is seen after it. */
const settlesAfterMs = 10_000;

export async function changedMembers(pool: pg.Pool, limit: number): Promise<ChangedMember[]> {
  const { rows } = await pool.query<
    Omit<ChangedMember, 'person'> & Pick<Person, 'role' | 'groups' | 'since'> & { removed_at: Date | null }
  >(
    `SELECT c.org_id, c.member_id, c.event_id, c.correlation_id, c.traceparent, m.role, m.groups, m.since, m.removed_at,
            c.noted_at < clock_timestamp() - $2 * interval '1 millisecond' AS settled
       FROM member_change c JOIN member m USING (org_id, member_id)
      ORDER BY c.noted_at LIMIT $1`,
    [limit, settlesAfterMs],
  );
  return rows.map(({ role, groups, since, removed_at, ...change }) => ({
    ...change,
    person: removed_at === null ? { memberId: change.member_id, role, groups, since } : null,
  }));
}

/** The open requests with a vote of the member, also one that was withdrawn. */
export async function openVotesOf(
  pool: pg.Pool,
  { org_id, member_id }: Pick<ChangedMember, 'org_id' | 'member_id'>,
): Promise<string[]> {
  const { rows } = await pool.query<{ approval_id: string }>(
    `SELECT o.approval_id FROM open_request o
      WHERE o.org_id = $1 AND o.deadline_at > clock_timestamp()
        AND EXISTS (SELECT 1 FROM event e
                     WHERE e.org_id = o.org_id AND e.stream_id = o.approval_id AND e.type = 'approval.vote_cast'
                       AND e.data -> 'vote' ->> 'member_id' = $2)
      ORDER BY o.approval_id`,
    [org_id, member_id],
  );
  return rows.map(({ approval_id }) => approval_id);
}

/** Unless the member changed again meanwhile. */
export async function forgetMemberChange(
  pool: pg.Pool,
  { org_id, member_id, event_id }: ChangedMember,
): Promise<void> {
  await pool.query('DELETE FROM member_change WHERE org_id = $1 AND member_id = $2 AND event_id = $3', [
    org_id,
    member_id,
    event_id,
  ]);
}
