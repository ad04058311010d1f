import {
  foldStored,
  readStoredEvent,
  storedColumns,
  type Tx,
  type WholeEventRow,
} from '@agentlattice/event-store';
import { type Delegation, delegationDecider } from '../domain/delegation.js';

/** Delegations by their events, in the order of the ids. Read within the caller's transaction, after its locks. */
export async function loadDelegations(tx: Tx, orgId: string, ids: readonly string[]): Promise<Delegation[]> {
  if (ids.length === 0) return [];
  const { rows } = await tx.query<WholeEventRow>(
    `SELECT ${storedColumns} FROM event e WHERE e.org_id = $1 AND e.stream_id = ANY ($2) ORDER BY e.stream_id, e.version`,
    [orgId, ids],
  );
  const streams = Map.groupBy(
    rows.map((row) => readStoredEvent(row)),
    ({ stream_id }) => stream_id,
  );
  return ids.map((id) => foldStored(delegationDecider, streams.get(id) ?? []));
}
