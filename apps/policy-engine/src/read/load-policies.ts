import { eventData, type PolicyContent, policyContent, policyInput } from '@agentlattice/contracts';
import type { Queryable } from '@agentlattice/event-store';
import { compilePolicy, type CompiledPolicy } from '../domain/compile-policy.js';
import { contentHash } from '../domain/content-hash.js';
import type { StoredPolicy } from '../domain/tampering.js';

interface LoadedRow {
  org_id: string;
  policy_id: string;
  version: number;
  /** Of the newest event: `name`, `version`, `hash`, `content`, unless it was tampered with. */
  data: Record<string, unknown>;
  created_at: Date;
  type: string;
  schema_version: number;
  /** Of the newest event; null when it has no position. */
  gpos: string | null;
  /** Of the newest event. */
  author_kind: string | null;
  author: string | null;
  /** From the read model: the maker of the service key that wrote it. */
  written_by: string | null;
  /** From the read model: the members who made the key that wrote it, or were shown it. */
  key_holders: string[] | null;
  /** The same from the read model; null when the row is missing. */
  row_version: number | null;
  row_hash: string | null;
  row_content: unknown;
}

/** A policy of the database: its newest event, and its compiled form; none when it is deleted. */
export interface LoadedPolicy {
  readonly stored: StoredPolicy;
  readonly compiled: readonly CompiledPolicy[];
}

/** The current policies of workspaces, each with its hash computed again and its two copies compared. */
export async function loadPolicies(
  db: Queryable,
  orgIds: readonly string[],
): Promise<Map<string, LoadedPolicy[]>> {
  const { rows } = await db.query<LoadedRow>(
    `WITH newest AS (
       SELECT org_id, stream_id, max(version) AS version FROM event
        WHERE org_id = ANY ($1) AND stream_id LIKE 'pol\\_%' GROUP BY org_id, stream_id)
     SELECT e.org_id, e.stream_id AS policy_id, e.version, e.type, e.schema_version, e.data, at.gpos,
            first.occurred_at AS created_at,
            e.meta->'actor'->>'kind' AS author_kind, e.meta->'actor'->>'id' AS author, p.written_by, p.key_holders,
            p.version AS row_version, p.hash AS row_hash, p.content AS row_content
       FROM newest n JOIN event e USING (org_id, stream_id, version)
       JOIN event first ON first.org_id = e.org_id AND first.stream_id = e.stream_id AND first.version = 1
       LEFT JOIN event_position at ON at.event_id = e.event_id
       LEFT JOIN policy p ON p.policy_id = e.stream_id AND p.org_id = e.org_id`,
    [orgIds],
  );
  const found = new Map<string, LoadedPolicy[]>(orgIds.map((orgId) => [orgId, []]));
  for (const row of rows) found.get(row.org_id)?.push(loaded(row));
  return found;
}

/** One policy, or two when its copies differ: then both govern, as tampered. */
function loaded(row: LoadedRow): LoadedPolicy {
  const { data } = row;
  const deleted = row.type === 'policy.deleted';
  const { name, hash } = data;
  const fromEvent = read(data['content']);
  const tampered =
    // An unknown type or version may mean something else than its members say.
    !eventData.read(row).success ||
    fromEvent === undefined ||
    data['version'] !== row.version ||
    hashOf(data['content']) !== hash ||
    (!deleted &&
      (row.row_version !== row.version || row.row_hash !== hash || hashOf(row.row_content) !== hash));
  const made = (content: PolicyContent) =>
    compilePolicy({
      ref: refOf(content),
      content,
      createdAt: row.created_at.toISOString(),
      tampered,
      author: authorOf(row),
      authors: authorsOf(row),
    });
  // Contents of one hash are the same content.
  const fromRow = tampered ? read(row.row_content) : undefined;
  const copies = [fromEvent, fromRow].filter((copy) => copy !== undefined);
  const [standing = unreadable] = copies;
  const stored: StoredPolicy = {
    ref: refOf(standing),
    action_type: standing.action_type,
    deleted,
    gpos: row.gpos === null ? null : Number(row.gpos),
    contradicts: tampered,
  };
  // A deleted policy governs nothing, also when its content was tampered with.
  if (deleted) return { stored, compiled: [] };
  if (!tampered) return { stored, compiled: [made(standing)] };
  return { stored, compiled: (copies.length > 0 ? copies : [unreadable]).map(made) };

  function refOf(content: PolicyContent) {
    return {
      id: row.policy_id,
      name: typeof name === 'string' ? name : content.name,
      version: row.version,
      hash: typeof hash === 'string' ? hash : contentHash(content),
    };
  }
}

/** The person who wrote the current version: null when no person did, undefined when unknown. */
function authorOf({ author_kind, author, written_by }: LoadedRow): string | null | undefined {
  if (author_kind === 'operator') return author ?? undefined;
  return author_kind === 'service' ? (written_by ?? undefined) : null;
}

/** Every member who may have written the current version. */
function authorsOf(row: LoadedRow): string[] {
  const author = authorOf(row);
  return [...new Set([...(typeof author === 'string' ? [author] : []), ...(row.key_holders ?? [])])];
}

/** Replaces a policy whose two copies are unreadable: it could have governed any action. */
const unreadable = policyInput.parse({ name: 'unreadable', action_type: '*', effect: 'deny' });

const read = (content: unknown) => policyContent.safeParse(content).data;

function hashOf(content: unknown): string | null {
  try {
    return contentHash(content as PolicyContent);
  } catch {
    return null;
  }
}
