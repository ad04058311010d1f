import type { Queryable, Tx } from '@agentlattice/event-store';
import type pg from 'pg';

/** A delegation with its place in the tree below an agent that acts for no other. */
export interface PlacedDelegation {
  readonly root_agent_id: string;
  /** The delegations above it, the first one first. */
  readonly above: readonly string[];
}

/** Null when there is no such delegation. Its place never changes. */
export async function placeOf(
  db: Queryable,
  orgId: string,
  delegationId: string,
): Promise<PlacedDelegation | null> {
  const { rows } = await db.query<PlacedDelegation>(
    'SELECT root_agent_id, above FROM delegation WHERE org_id = $1 AND delegation_id = $2',
    [orgId, delegationId],
  );
  return rows[0] ?? null;
}

/** One transaction at a time makes or revokes delegations below an agent: none is made below one that is being revoked. */
export async function lockTree(tx: Tx, orgId: string, rootAgentId: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7157))', [`${orgId}/${rootAgentId}`]);
}

export async function countLive(tx: Tx, orgId: string, rootAgentId: string): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM delegation
      WHERE org_id = $1 AND root_agent_id = $2 AND ended_at IS NULL AND expires_at > clock_timestamp()`,
    [orgId, rootAgentId],
  );
  return rows[0]?.count ?? 0;
}

/** The delegations below one that have not ended. */
export async function liveBelow(
  tx: Tx,
  orgId: string,
  rootAgentId: string,
  delegationId: string,
): Promise<string[]> {
  const { rows } = await tx.query<{ delegation_id: string }>(
    `SELECT delegation_id FROM delegation
      WHERE org_id = $1 AND root_agent_id = $2 AND ended_at IS NULL AND $3 = ANY (above) ORDER BY delegation_id`,
    [orgId, rootAgentId, delegationId],
  );
  return rows.map((row) => row.delegation_id);
}

/** Delegations that are over and have no event about it yet, and whether one will be over within the given time. */
export async function overdue(
  pool: pg.Pool,
  { limit, soonMs }: { limit: number; soonMs: number },
): Promise<{ readonly due: { org_id: string; delegation_id: string }[]; readonly soon: boolean }> {
  const { rows } = await pool.query<{ org_id: string; delegation_id: string; due: boolean }>(
    `SELECT org_id, delegation_id, expires_at <= clock_timestamp() AS due FROM delegation
      WHERE ended_at IS NULL AND expires_at <= clock_timestamp() + make_interval(secs => $2)
      ORDER BY expires_at LIMIT $1`,
    [limit, soonMs / 1_000],
  );
  return { due: rows.filter(({ due }) => due), soon: rows.length > 0 };
}
