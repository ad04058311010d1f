import type { ProjectedEvent, Tx } from '@agentlattice/event-store';
import type pg from 'pg';

export const requestedActionTypes = ['action.requested'] as const;

/** Notes recorded requests that are not open; usually their batch arrives and opens them in a moment. */
export async function noteRequestedActions(tx: Tx, events: readonly ProjectedEvent[]): Promise<void> {
  const requested = events.flatMap((event) =>
    event.type === 'action.requested' ? [[event.org_id, event.data.approval_id] as const] : [],
  );
  await tx.query(
    `INSERT INTO unopened_request (org_id, approval_id)
     SELECT * FROM (SELECT * FROM unnest($1::text[], $2::text[]) AS k (org_id, approval_id) LIMIT $3) AS k
      WHERE NOT EXISTS (SELECT FROM approval a WHERE a.org_id = k.org_id AND a.approval_id = k.approval_id)
     ON CONFLICT DO NOTHING`,
    [requested.map(([orgId]) => orgId), requested.map(([, approvalId]) => approvalId), requested.length],
  );
}

export interface UnopenedRequest {
  readonly org_id: string;
  readonly approval_id: string;
}

/** Noted requests that are now open, or that no batch has opened within the grace period; the oldest first. */
export async function findUnopenedRequests(
  pool: pg.Pool,
  graceMs: number,
  limit: number,
): Promise<(UnopenedRequest & { readonly isOpen: boolean })[]> {
  const { rows } = await pool.query<UnopenedRequest & { isOpen: boolean }>(
    `SELECT u.org_id, u.approval_id, a.approval_id IS NOT NULL AS "isOpen"
       FROM unopened_request u LEFT JOIN approval a USING (org_id, approval_id)
      WHERE a.approval_id IS NOT NULL OR u.noted_at <= clock_timestamp() - make_interval(secs => $1)
      ORDER BY u.noted_at LIMIT $2`,
    [graceMs / 1_000, limit],
  );
  return rows;
}

export async function deleteUnopenedRequest(
  pool: pg.Pool,
  { org_id, approval_id }: UnopenedRequest,
): Promise<void> {
  await pool.query('DELETE FROM unopened_request WHERE org_id = $1 AND approval_id = $2', [
    org_id,
    approval_id,
  ]);
}
