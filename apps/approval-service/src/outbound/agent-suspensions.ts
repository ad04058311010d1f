import type { ProjectedEvent, Tx } from '@agentlattice/event-store';
import type pg from 'pg';

export const suspensionTypes = ['agent.suspended', 'agent.resumed'] as const;

/**
 * Stores for which agents requests must be cancelled, by the gateway's events: all of them during such a suspension, and
 * afterwards those that were made before its end, even if one is opened late.
 */
export async function projectSuspension(tx: Tx, event: ProjectedEvent): Promise<void> {
  const { org_id, occurred_at, event_id, correlation_id, traceparent } = event;
  if (event.type === 'agent.suspended' && event.data.pending === 'cancel')
    await tx.query(
      `INSERT INTO agent_suspension (org_id, agent_id, event_id, suspended_at, lasts, correlation_id, traceparent)
       VALUES ($1, $2, $3, $4, true, $5, $6)
       ON CONFLICT (org_id, agent_id) DO UPDATE
         SET event_id = excluded.event_id, suspended_at = excluded.suspended_at, lasts = true,
             correlation_id = excluded.correlation_id, traceparent = excluded.traceparent`,
      [org_id, event.data.agent.id, event_id, occurred_at, correlation_id, traceparent],
    );
  if (event.type === 'agent.resumed')
    await tx.query(
      `UPDATE agent_suspension SET lasts = false, ended_at = $3 WHERE org_id = $1 AND agent_id = $2 AND lasts`,
      [org_id, event.data.agent.id, occurred_at],
    );
}

/** An open request of an agent that was suspended with `pending: cancel`. */
export interface Suspended {
  readonly org_id: string;
  readonly approval_id: string;
  readonly agent_id: string;
  readonly event_id: string;
  readonly correlation_id: string | null;
  readonly traceparent: string | null;
  /** Made after the suspension: it may be ended only if the suspension is still in effect. */
  readonly later: boolean;
}

export async function suspendedRequests(pool: pg.Pool, limit: number): Promise<Suspended[]> {
  const { rows } = await pool.query<Suspended>(
    `SELECT a.org_id, a.approval_id, a.agent_id, s.event_id, s.correlation_id, s.traceparent,
            a.created_at > s.suspended_at AND a.created_at >= coalesce(s.ended_at, '-infinity') AS later
       FROM agent_suspension s
       JOIN open_request o ON o.org_id = s.org_id
       JOIN approval a ON a.org_id = o.org_id AND a.approval_id = o.approval_id AND a.agent_id = s.agent_id
      WHERE o.deadline_at > clock_timestamp() AND (s.lasts OR a.created_at < s.ended_at)
      ORDER BY a.created_at > s.suspended_at, a.created_at, a.approval_id LIMIT $1`,
    [limit],
  );
  return rows;
}
