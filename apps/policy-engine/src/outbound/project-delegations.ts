import type { StoredEvent, Tx } from '@agentlattice/event-store';
import type { DelegationEvent } from '../domain/delegation.js';
import { revisionChannel } from './project-policy.js';

/** Brings the rows of delegations up to their events, and notifies all replicas, in the transaction of the change. */
export async function projectDelegations(tx: Tx, events: readonly StoredEvent[]): Promise<void> {
  if (events.length === 0) return;
  for (const stored of events) {
    const event = stored as unknown as DelegationEvent;
    if (event.type === 'delegation.created') await insert(tx, stored, event.data);
  }
  const ended = events.filter(({ type }) => type !== 'delegation.created');
  await tx.query(
    `UPDATE delegation d SET ended_at = e.at, revoked_at = CASE WHEN e.revoked THEN e.at END
       FROM unnest($1::text[], $2::timestamptz[], $3::boolean[]) AS e (id, at, revoked) WHERE d.delegation_id = e.id`,
    [
      ended.map(({ stream_id }) => stream_id),
      ended.map(({ occurred_at }) => occurred_at),
      ended.map(({ type }) => type === 'delegation.revoked'),
    ],
  );
  // Last: from here to the commit no other transaction can change policies or delegations.
  await tx.query(
    `WITH raised AS (UPDATE revision SET value = value + 1 RETURNING value),
          noted AS (UPDATE delegation SET revision = value FROM raised WHERE delegation_id = ANY ($1))
     SELECT pg_notify($2, value::text) FROM raised`,
    [events.map(({ stream_id }) => stream_id), revisionChannel],
  );
}

const insert = (
  tx: Tx,
  { org_id, occurred_at }: StoredEvent,
  data: Extract<DelegationEvent, { type: 'delegation.created' }>['data'],
) =>
  tx.query(
    `INSERT INTO delegation (delegation_id, org_id, agent_id, agent_name, parent_agent_id, root_agent_id, parent_id, above,
                             capabilities, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      data.delegation_id,
      org_id,
      data.agent.id,
      data.agent.name,
      data.acting_for.at(-1)?.id,
      data.acting_for[0]?.id,
      data.above.at(-1) ?? null,
      data.above,
      data.capabilities,
      occurred_at,
      data.expires_at,
    ],
  );
