import type pg from 'pg';
import type { Seatable } from '../domain/unfillable-quorum.js';

/** The members of a workspace that the policy-engine knows; none before the events of the workspace arrived. */
export async function workspaceMembers(pool: pg.Pool, orgId: string): Promise<Seatable[]> {
  const { rows } = await pool.query<Seatable>(
    'SELECT member_id, role, groups FROM member_role WHERE org_id = $1',
    [orgId],
  );
  return rows;
}
