/** Names of the services that may be the source of an entry; closed. */
export const entrySources = [
  'gateway',
  'policy-engine',
  'approval-service',
  'notifier',
  'audit-ledger',
] as const;
export type EntrySource = (typeof entrySources)[number];

/** The decisions of entries; null for an entry without a decision. */
export const entryDecisions = [
  'executed',
  'denied',
  'requested',
  'escalated',
  'approved',
  'timed_out',
  'cancelled',
] as const;
export type EntryDecision = (typeof entryDecisions)[number];

/** The client that an operator used. */
export const entryVias = ['api', 'dashboard', 'mcp', 'cli', 'slack', 'email'] as const;
export type EntryVia = (typeof entryVias)[number];

/** Fields that may be erased later: the entry holds a salted commitment, never the value. */
export const privateFields = ['data_accessed', 'metadata', 'note', 'reason'] as const;
export type PrivateField = (typeof privateFields)[number];

/**
 * Types of an entry. A family with names is closed; a family with `null` allows any lower-case name, because its services add
 * types without changing the meaning of an entry.
 */
export const entryTypeFamilies: Readonly<Record<string, readonly string[] | null>> = {
  action: ['executed', 'denied', 'requested', 'reported'],
  approval: [
    'opened',
    'vote_cast',
    'vote_withdrawn',
    'reminded',
    'escalated',
    'policy_changed',
    'approved',
    'denied',
    'timed_out',
    'cancelled',
    'grant_consumed',
  ],
  policy: null,
  delegation: ['created', 'revoked', 'expired'],
  agent: null,
  member: null,
  key: null,
  session: null,
  access: null,
  channel: null,
  delivery: null,
  endpoint: null,
  ledger: null,
  privacy: ['erased'],
};

const closedTypes = new Set(
  Object.entries(entryTypeFamilies).flatMap(([family, names]) =>
    (names ?? []).map((name) => `${family}.${name}`),
  ),
);

/** Whether a text is a type that the format knows. */
export function isEntryType(type: string): boolean {
  if (closedTypes.has(type)) return true;
  const [family, name, ...rest] = type.split('.');
  if (family === undefined || name === undefined || rest.length > 0) return false;
  if (!Object.hasOwn(entryTypeFamilies, family)) return false;
  return entryTypeFamilies[family] === null && /^[a-z][a-z_]{0,60}$/.test(name);
}

/** The agents of a chain of delegations: at least two, at most eight delegations. */
export const chainLengths = { min: 2, max: 9 } as const;

/** The delegation that an agent acts under, and who acts for whom: the first agent first, the acting one last. */
export interface EntryDelegation {
  readonly id: string;
  readonly chain: readonly { readonly id: string; readonly name: string }[];
}

/**
 * One entry of a log, as SPEC.md defines it: every member is always there, null where it does not apply. Only entries of
 * version 2 have `delegation`.
 */
export interface Entry {
  readonly v: 1 | 2;
  /** Origin of the log; also the first line of its checkpoints. */
  readonly log: string;
  /** 0-based. */
  readonly seq: number;
  /** Lower-case hex leaf hash of the entry before; 64 zeros for the first. */
  readonly prev_hash: string;
  readonly id: string;
  readonly type: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  readonly source: EntrySource;
  /** 1-based, gapless per log and source. */
  readonly source_seq: number;
  readonly org_id: string;
  readonly action_type: string | null;
  readonly agent: { readonly id: string; readonly name: string } | null;
  readonly operator: { readonly id: string; readonly via: EntryVia } | null;
  readonly decision: EntryDecision | null;
  /** Of version 2, which is for agents that act for others. */
  readonly delegation?: EntryDelegation | undefined;
  readonly resolved_by: string | null;
  readonly policy: {
    readonly id: string;
    readonly name: string;
    readonly version: number;
    readonly hash: string;
  } | null;
  readonly approval_id: string | null;
  readonly correlation_id: string | null;
  readonly private: Readonly<Partial<Record<PrivateField, string>>>;
}

/** `prev_hash` of the first entry of a log. */
export const zeroHash = '0'.repeat(64);

/** Longest entry in bytes of its canonical form. */
export const maxEntryBytes = 60 * 1024;
