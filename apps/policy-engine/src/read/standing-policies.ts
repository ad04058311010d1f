import type { Queryable } from '@agentlattice/event-store';
import type { StandingPolicy } from '../domain/forever.js';

/** The current version of a policy; null when it is deleted. */
export async function standingPolicy(
  db: Queryable,
  { org_id, policy_id }: { readonly org_id: string; readonly policy_id: string },
): Promise<StandingPolicy> {
  const { rows } = await db.query<NonNullable<StandingPolicy>>(
    'SELECT version, content FROM policy WHERE org_id = $1 AND policy_id = $2',
    [org_id, policy_id],
  );
  return rows[0] ?? null;
}

/** A policy in force for exactly the action type, other than `except`. */
export async function exactPolicy(
  db: Queryable,
  { org_id, action_type }: { readonly org_id: string; readonly action_type: string },
  except = '',
): Promise<{ id: string; name: string; version: number } | null> {
  const { rows } = await db.query<{ id: string; name: string; version: number }>(
    `SELECT policy_id AS id, name, version FROM policy
      WHERE org_id = $1 AND action_type = $2 AND policy_id <> $3 AND active AND content ->> 'mode' = 'enforce'
      ORDER BY policy_id LIMIT 1`,
    [org_id, action_type, except],
  );
  return rows[0] ?? null;
}
