import type { PolicyRef, RecordedPolicy, TamperingReason } from '@agentlattice/contracts';

/** A policy's newest event in the database, whose content was compared with its hash. */
export interface StoredPolicy {
  readonly ref: PolicyRef;
  readonly action_type: string;
  readonly deleted: boolean;
  /** Place of its event among those of the engine; null while it has none. */
  readonly gpos: number | null;
  /** Epoch milliseconds. */
  readonly writtenAt: number;
  /** Its hash, its event and its row contradict one another. */
  readonly contradicts: boolean;
}

/** What the log recorded of a workspace's policies. What it says of a version stays true, however old the reading. */
export interface LedgerFacts {
  readonly policies: ReadonlyMap<string, RecordedPolicy>;
  /** All events of the engine up to there are in the log. */
  readonly gpos: number;
  /** Epoch milliseconds of the reading. */
  readonly asOf: number;
}

export interface Tampering {
  readonly reason: TamperingReason;
  /** As recorded; where it never was, as stored. */
  readonly policy: PolicyRef;
  /** What the policy governs by what was recorded; null when that is nothing. */
  readonly recordedPattern: string | null;
  readonly action_type: string;
  readonly found: { readonly version: number; readonly hash: string } | null;
}

/** An entry follows its event within seconds; after this its absence is no delay. */
export const entryFollowsWithinMs = 120_000;

/** Every policy of a workspace that is not what the log recorded; without facts only what contradicts itself. */
export function findTampering(
  stored: ReadonlyMap<string, StoredPolicy>,
  facts: LedgerFacts | undefined,
): Tampering[] {
  const ids = new Set([...stored.keys(), ...(facts?.policies.keys() ?? [])]);
  return [...ids].flatMap((id) => {
    const now = stored.get(id);
    const recorded = facts?.policies.get(id);
    const reason = reasonOf(now, recorded, facts);
    return reason === null ? [] : [tampering(reason, now, recorded)];
  });
}

/** True while the log may still hear of a change that stands here. */
export function awaitsEntry(stored: StoredPolicy, facts: LedgerFacts | undefined): boolean {
  return stored.ref.version > (facts?.policies.get(stored.ref.id)?.version ?? 0);
}

function reasonOf(
  now: StoredPolicy | undefined,
  recorded: RecordedPolicy | undefined,
  facts: LedgerFacts | undefined,
): TamperingReason | null {
  if (now?.contradicts === true) return 'content_differs';
  if (facts === undefined) return null;
  if (now === undefined) return recorded?.deleted === false ? 'policy_missing' : null;
  const known = recorded?.version ?? 0;
  if (now.ref.version < known) return 'older_version';
  if (now.ref.version > known) return mayFollow(now, facts) ? null : 'never_recorded';
  if (now.ref.hash !== recorded?.hash) return 'content_differs';
  return now.deleted === recorded.deleted ? null : 'deletion_differs';
}

/** The log passed its place without it, or it has waited for too long. */
const mayFollow = ({ gpos, writtenAt }: StoredPolicy, facts: LedgerFacts) =>
  (gpos === null || gpos > facts.gpos) && facts.asOf - writtenAt <= entryFollowsWithinMs;

function tampering(
  reason: TamperingReason,
  now: StoredPolicy | undefined,
  recorded: RecordedPolicy | undefined,
): Tampering {
  const policy = recorded
    ? { id: recorded.policy_id, name: recorded.name, version: recorded.version, hash: recorded.hash }
    : now?.ref;
  if (policy === undefined) throw new Error('neither stored nor recorded');
  return {
    reason,
    policy,
    recordedPattern: recorded?.deleted === false ? recorded.action_type : null,
    action_type: recorded?.action_type ?? now?.action_type ?? '*',
    found: now === undefined ? null : { version: now.ref.version, hash: now.ref.hash },
  };
}
