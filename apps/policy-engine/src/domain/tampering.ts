import type { PolicyRef, RecordedPolicy, TamperingReason } from '@agentlattice/contracts';

/** A policy's newest event in the database, whose content was compared with its hash. */
export interface StoredPolicy {
  readonly ref: PolicyRef;
  readonly action_type: string;
  readonly deleted: boolean;
  /** Position of its event among the engine's events; null when it has none. Every commit of the engine assigns one. */
  readonly gpos: number | null;
  /** Whether its hash, its event and its row contradict one another. */
  readonly contradicts: boolean;
}

/** The entries of a workspace's policies in the log. An entry of a version stays true, however old the reading is. */
export interface LedgerFacts {
  readonly policies: ReadonlyMap<string, RecordedPolicy>;
  /** All events of the engine up to this position are in the log. */
  readonly gpos: number;
  /** Epoch milliseconds of the reading. */
  readonly asOf: number;
}

export interface Tampering {
  readonly reason: TamperingReason;
  /** As recorded; as stored when it never was recorded. */
  readonly policy: PolicyRef;
  /** The pattern that the policy governs by its entry, or before an invalid deletion; null when there is none. */
  readonly recordedPattern: string | null;
  readonly action_type: string;
  readonly found: { readonly version: number; readonly hash: string } | null;
}

/** A policy whose newest version has no known entry in the log. */
export interface AwaitedEntry {
  /** The newest version with a known entry at that time. */
  readonly known: number;
  /**
   * Epoch milliseconds of the database's clock at which the engine first saw a newer version; the time in the event was chosen by
   * its writer. -Infinity when the policy was tampered with before.
   */
  readonly since: number;
}
export type AwaitedEntries = ReadonlyMap<string, AwaitedEntry>;

/**
 * An entry follows its event within seconds; a missing entry after this time is not a delay. The log is read every 5 s while an entry
 * is awaited, so a version without one is found within a minute after it was first seen.
 */
export const entryFollowsWithinMs = 50_000;

/**
 * The time since which each entry is awaited. Further versions do not prolong it, only an entry does. A policy that was tampered with
 * gets no time, so it stays tampered until event and log agree.
 */
export function awaitedEntries(
  stored: ReadonlyMap<string, StoredPolicy>,
  facts: LedgerFacts | undefined,
  before: {
    readonly awaited: AwaitedEntries | undefined;
    readonly tampered: readonly Tampering[] | undefined;
  },
  now: number,
): AwaitedEntries {
  const tampered = new Set(before.tampered?.map(({ policy }) => policy.id));
  const awaited = new Map<string, AwaitedEntry>();
  for (const [id, policy] of stored) {
    const known = facts?.policies.get(id)?.version ?? 0;
    if (policy.ref.version <= known) continue;
    const was = before.awaited?.get(id);
    const first = was?.known === known ? was.since : now;
    awaited.set(id, { known, since: tampered.has(id) ? -Infinity : first });
  }
  return awaited;
}

/** Every policy of a workspace that differs from its entry in the log; without facts only policies that cannot match any entry. */
export function findTampering(
  stored: ReadonlyMap<string, StoredPolicy>,
  facts: LedgerFacts | undefined,
  awaited: AwaitedEntries,
): Tampering[] {
  const ids = new Set([...stored.keys(), ...(facts?.policies.keys() ?? [])]);
  return [...ids].flatMap((id) => {
    const now = stored.get(id);
    const recorded = facts?.policies.get(id);
    const reason = reasonOf(now, recorded, facts, awaited.get(id)?.since);
    return reason === null ? [] : [tampering(reason, now, recorded)];
  });
}

function reasonOf(
  now: StoredPolicy | undefined,
  recorded: RecordedPolicy | undefined,
  facts: LedgerFacts | undefined,
  since: number | undefined,
): TamperingReason | null {
  if (now?.contradicts === true) return 'content_differs';
  // Events are numbered in their commit: the engine did not write this one, and the log will never get it.
  if (now?.gpos === null && now.ref.version > (recorded?.version ?? 0)) return 'never_recorded';
  if (facts === undefined) return null;
  if (now === undefined) return recorded?.deleted === false ? 'policy_missing' : null;
  const known = recorded?.version ?? 0;
  if (now.ref.version < known) return 'older_version';
  if (now.ref.version > known) return mayFollow(now.gpos, since, facts) ? null : 'never_recorded';
  if (now.ref.hash !== recorded?.hash) return 'content_differs';
  return now.deleted === recorded.deleted ? null : 'deletion_differs';
}

/** False once the log has passed its position without an entry, or the entry was awaited for too long. */
const mayFollow = (gpos: number | null, since: number | undefined, facts: LedgerFacts) =>
  gpos !== null && gpos > facts.gpos && since !== undefined && facts.asOf - since <= entryFollowsWithinMs;

/** A deletion that the engine never wrote has no effect, also before the first reading of the log. */
const deletedWithoutEntry = (now: StoredPolicy | undefined) =>
  now?.deleted === true && now.gpos === null ? now.action_type : null;

function tampering(
  reason: TamperingReason,
  now: StoredPolicy | undefined,
  recorded: RecordedPolicy | undefined,
): Tampering {
  const policy = recorded
    ? { id: recorded.policy_id, name: recorded.name, version: recorded.version, hash: recorded.hash }
    : now?.ref;
  if (policy === undefined) throw new Error('the policy is neither in the database nor in the log');
  return {
    reason,
    policy,
    recordedPattern:
      recorded === undefined ? deletedWithoutEntry(now) : recorded.deleted ? null : recorded.action_type,
    action_type: recorded?.action_type ?? now?.action_type ?? '*',
    found: now === undefined ? null : { version: now.ref.version, hash: now.ref.hash },
  };
}
