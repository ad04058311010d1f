import canonicalize from 'canonicalize';
import { type Entry, maxEntryBytes } from './entry.js';
import { shapeFault } from './entry-shape.js';

export type EntryRefusal = 'malformed' | 'not_canonical' | 'too_large';

/** A value that is not an entry, or bytes that are not the canonical form of one. */
export class EntryRefused extends Error {
  constructor(
    readonly code: EntryRefusal,
    detail: string,
  ) {
    super(detail);
    this.name = 'EntryRefused';
  }
}

/**
 * RFC 8785 text of a JSON value.
 * @throws when the value has none (lone surrogates, NaN, infinity, undefined)
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (typeof text !== 'string') throw new TypeError('value has no JSON form');
  return text;
}

/**
 * The canonical text of an entry; its UTF-8 bytes are what is hashed and stored.
 * @throws EntryRefused for a member that is missing, unknown or of the wrong kind (numbers that are not safe integers
 *   and lone surrogates among them), and for more than 60 KiB
 */
export function encodeEntry(entry: Entry): string {
  const fault = shapeFault(entry);
  if (fault !== null) throw new EntryRefused('malformed', `${fault.pointer} ${fault.detail}`);
  const text = canonicalText(entry);
  // A UTF-16 unit has at most three bytes, so short texts need not be measured.
  if (text.length * 3 > maxEntryBytes && Buffer.byteLength(text) > maxEntryBytes)
    throw new EntryRefused(
      'too_large',
      `entry has ${String(Buffer.byteLength(text))} bytes, ${String(maxEntryBytes)} are allowed`,
    );
  return text;
}

/**
 * RFC 8785 text of an entry whose shape was checked: members in order, whole numbers, well-formed texts. For these
 * JSON.stringify writes the canonical form.
 */
function canonicalText(entry: Entry): string {
  const { agent, delegation, operator, policy, private: commitments } = entry;
  return JSON.stringify({
    action_type: entry.action_type,
    agent: agent === null ? null : { id: agent.id, name: agent.name },
    approval_id: entry.approval_id,
    correlation_id: entry.correlation_id,
    decision: entry.decision,
    // Undefined in version 1: then it is left out.
    delegation:
      delegation === undefined
        ? undefined
        : { chain: delegation.chain.map(({ id, name }) => ({ id, name })), id: delegation.id },
    id: entry.id,
    log: entry.log,
    operator: operator === null ? null : { id: operator.id, via: operator.via },
    org_id: entry.org_id,
    policy:
      policy === null
        ? null
        : { hash: policy.hash, id: policy.id, name: policy.name, version: policy.version },
    prev_hash: entry.prev_hash,
    private: {
      data_accessed: commitments.data_accessed,
      metadata: commitments.metadata,
      note: commitments.note,
      reason: commitments.reason,
    },
    resolved_by: entry.resolved_by,
    seq: entry.seq,
    source: entry.source,
    source_seq: entry.source_seq,
    time: entry.time,
    type: entry.type,
    v: entry.v,
  } satisfies Record<keyof Entry, unknown>);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads one entry from its bytes. Input from outside is hostile: only bytes in canonical form are accepted, so that the value
 * is exactly the hashed one.
 * @throws EntryRefused
 */
export function parseEntry(bytes: Uint8Array): Entry {
  if (bytes.length > maxEntryBytes) throw new EntryRefused('too_large', 'entry is longer than 60 KiB');
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw new EntryRefused('malformed', 'entry is not JSON in UTF-8');
  }
  const fault = shapeFault(value);
  if (fault !== null) throw new EntryRefused('malformed', `${fault.pointer} ${fault.detail}`);
  if (canonicalJson(value) !== text) throw new EntryRefused('not_canonical', 'entry is not in RFC 8785 form');
  return value as Entry;
}
