import type { StoredEvent, Tx } from '@agentlattice/event-store';
import type { PolicyEvent } from '../domain/policy.js';
import { type PolicyRow, policyColumns } from '../read/policy-row.js';

/** The channel that notifies replicas of changed policies. */
export const revisionChannel = 'al_policy_revision';

/** The members behind the key that a version was written with, as the gateway reports them. */
export interface WrittenWith {
  /** The maker of the service key; missing when unknown, or when the key is an operator's. */
  readonly written_by?: string | undefined;
  /** The members who made the key or were shown it. */
  readonly key_holders?: readonly string[] | undefined;
}

/**
 * Brings the read model up to the events, and notifies all replicas, in the transaction of the change.
 * @returns the policy's row as this change leaves it; undefined when it is deleted
 */
export async function projectPolicy(
  tx: Tx,
  events: readonly StoredEvent[],
  { written_by, key_holders }: WrittenWith = {},
): Promise<PolicyRow | undefined> {
  let row: PolicyRow | undefined;
  for (const stored of events) {
    const { type, data } = stored as unknown as PolicyEvent;
    if (type === 'policy.deleted') {
      await tx.query('DELETE FROM policy WHERE policy_id = $1', [data.policy_id]);
    } else {
      const { rows } = await tx.query<PolicyRow>(
        `INSERT INTO policy (policy_id, org_id, name, action_type, active, version, hash, content, created_at, updated_at,
                             written_by, key_holders)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)
         ON CONFLICT (policy_id) DO UPDATE SET (name, action_type, active, version, hash, content, updated_at, written_by,
                                                key_holders)
           = (excluded.name, excluded.action_type, excluded.active, excluded.version, excluded.hash, excluded.content,
              excluded.updated_at, excluded.written_by, excluded.key_holders)
         RETURNING ${policyColumns}`,
        [
          data.policy_id,
          stored.org_id,
          data.name,
          data.content.action_type,
          data.content.active,
          data.version,
          data.hash,
          JSON.stringify(data.content),
          stored.occurred_at,
          written_by ?? null,
          key_holders ?? [],
        ],
      );
      [row] = rows;
    }
    // Last: from here to the commit no other transaction can change policies.
    await tx.query(
      `WITH raised AS (UPDATE revision SET value = value + 1 RETURNING value),
            noted AS (INSERT INTO workspace_revision (org_id, revision) SELECT $1, value FROM raised
                      ON CONFLICT (org_id) DO UPDATE SET revision = excluded.revision)
       SELECT pg_notify($2, value::text) FROM raised`,
      [stored.org_id, revisionChannel],
    );
  }
  return row;
}
