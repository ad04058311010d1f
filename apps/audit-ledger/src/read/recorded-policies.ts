import type {
  auditLedgerCommands,
  CommandRequest,
  CommandResponse,
  RecordedPolicy,
} from '@agentlattice/contracts';
import { parseEntry } from '@agentlattice/ledger';
import type pg from 'pg';

type Recorded = typeof auditLedgerCommands.recorded_policies;

interface Row {
  readonly org_id: string;
  readonly policy_id: string;
  readonly bytes: Buffer;
}

/**
 * The newest entry of each policy, read from the hashed bytes. The position is read first, so every event up to it has an
 * entry that is read after it.
 */
export async function recordedPolicies(
  pool: pg.Pool,
  { org_id, after, limit }: CommandRequest<Recorded>,
): Promise<CommandResponse<Recorded>> {
  const position = await pool.query<{ gpos: string }>(
    "SELECT gpos FROM source_position WHERE source = 'policy-engine'",
  );
  const { rows } = await pool.query<Row>(
    `SELECT newest.org_id, newest.policy_id, e.bytes FROM (
       SELECT org_id, policy_id, max(seq) AS seq FROM entry
        WHERE source = 'policy-engine' AND policy_id IS NOT NULL AND type NOT LIKE 'policy.tampering%'
          AND ($1::text IS NULL OR org_id = $1) AND (org_id, policy_id) > ($2, $3)
        GROUP BY org_id, policy_id ORDER BY org_id, policy_id LIMIT $4) newest
     JOIN entry e ON e.org_id = newest.org_id AND e.seq = newest.seq
     ORDER BY newest.org_id, newest.policy_id`,
    [org_id, after?.org_id ?? '', after?.policy_id ?? '', limit],
  );
  return {
    policies: rows.map(recordedOf),
    gpos: Number(position.rows[0]?.gpos ?? 0),
    complete: rows.length < limit,
  };
}

/** @throws when the row names another policy than its entry: the row was changed */
function recordedOf({ org_id, policy_id, bytes }: Row): RecordedPolicy {
  const { policy, action_type, type, ...entry } = parseEntry(bytes);
  if (policy?.id !== policy_id || entry.org_id !== org_id || action_type === null)
    throw new Error(`an entry about ${policy_id} is not about it`);
  const { name, version, hash } = policy;
  return { org_id, policy_id, name, version, hash, action_type, deleted: type === 'policy.deleted' };
}
