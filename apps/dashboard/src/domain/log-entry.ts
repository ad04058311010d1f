/** An entry of the log as it was hashed (libs/ledger/SPEC.md). */
export interface LogEntry {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly prev_hash: string;
  readonly source: string;
  readonly source_seq: number;
}

/** The members that the pages name; null for bytes that are no entry. */
export function readLogEntry(bytes: string): LogEntry | null {
  let value: unknown;
  try {
    value = JSON.parse(bytes);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { seq, id, type, time, prev_hash, source, source_seq } = value as Record<string, unknown>;
  return typeof seq === 'number' &&
    typeof id === 'string' &&
    typeof type === 'string' &&
    typeof time === 'string' &&
    typeof prev_hash === 'string' &&
    typeof source === 'string' &&
    typeof source_seq === 'number'
    ? { seq, id, type, time, prev_hash, source, source_seq }
    : null;
}

/** What precedes the first entry. */
export const noHash = '0'.repeat(64);

/** SHA-256 of 0x00 and the bytes, in hex: the leaf hash of RFC 6962, which the next entry names as `prev_hash`. */
export async function leafHashOf(bytes: string, subtle: Pick<SubtleCrypto, 'digest'>): Promise<string> {
  const content = new TextEncoder().encode(bytes);
  const leaf = new Uint8Array(content.length + 1);
  leaf.set(content, 1);
  const hash = new Uint8Array(await subtle.digest('SHA-256', leaf));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
