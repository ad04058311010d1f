import { ChainCheck } from './chain-check.js';
import { type Checkpoint, CheckpointMalformed, parseCheckpoint } from './checkpoint.js';
import { commit } from './commitment.js';
import { appendLeaf, type CompactRange, emptyRange, rootOf } from './compact-range.js';
import { type Entry, type PrivateField, privateFields } from './entry.js';
import { NoteRefused, type NoteVerifier, openNote } from './signed-note.js';
import type { Disclosed, Fault, FaultCode, Verdict } from './verdict.js';

export interface VerifierOptions {
  /** Origin the log must have; default: that of the first entry. */
  readonly log?: string;
  /** Erasable values by entry id; missing values count as erased. */
  readonly disclosed?: (entryId: string) => Disclosed | undefined;
  /**
   * Sizes of the checkpoints that `finish` will check. With them memory stays constant; without them 32 bytes are kept for
   * each entry, so that a checkpoint of any size can be checked.
   */
  readonly sizes?: readonly number[];
}

export interface TrustedCheckpoints {
  /** Signed notes, in any order; the newest counts, older ones narrow down where a log was rewritten. */
  readonly checkpoints: readonly string[];
  readonly trusted: readonly NoteVerifier[];
}

/** Verifies one log entry by entry. It opens no connection and gets the trusted keys as an argument. */
export interface LogVerifier {
  /** Takes the canonical bytes of the next entry; false once the log is known to be broken. */
  push(bytes: Uint8Array): boolean;
  /** The verdict on all pushed entries. Call once. */
  finish(trust?: TrustedCheckpoints): Verdict;
}

const fault = (code: FaultCode, at: number | null, detail: string): Fault => ({
  ok: false,
  code,
  at,
  detail,
});

/** A verifier that reads a log as a stream; `verifyLedger` is the same for a list. */
export function createVerifier(options: VerifierOptions = {}): LogVerifier {
  const chain = new ChainCheck(options.log ?? null);
  const roots = rootsAt(options.sizes);
  roots.note(emptyRange, null);
  let disclosure: Fault | null = null;

  return {
    push(bytes) {
      const link = chain.push(bytes);
      if (link !== null) {
        roots.note(chain.tree, link.leaf);
        disclosure ??= disclosureFault(link.entry, options.disclosed?.(link.entry.id));
      }
      return !chain.broken && disclosure === null;
    },
    finish(trust) {
      const opened = trust === undefined ? [] : openAll(trust, chain.origin ?? options.log ?? null);
      const newest = Array.isArray(opened) ? (opened.at(-1) ?? null) : null;
      const chainFault = chain.finish(newest);
      const first = [chainFault, disclosure]
        .filter((f) => f !== null)
        .sort((a, b) => (a.at ?? 0) - (b.at ?? 0))[0];
      if (first !== undefined) return first;
      if (!Array.isArray(opened)) return opened;
      return (
        checkpointFault(opened, chain.size, roots.at) ?? {
          ok: true,
          log: chain.origin,
          size: chain.size,
          root: rootOf(chain.tree).toString('hex'),
          lastHash: chain.lastHash,
          vouched: newest?.size ?? 0,
        }
      );
    },
  };
}

/** Verifies a whole log: the entries' canonical bytes in order. */
export function verifyLedger(
  entries: Iterable<Uint8Array>,
  options: VerifierOptions & Partial<TrustedCheckpoints> = {},
): Verdict {
  const verifier = createVerifier(options);
  for (const bytes of entries) verifier.push(bytes);
  const { checkpoints, trusted } = options;
  return verifier.finish(checkpoints === undefined ? undefined : { checkpoints, trusted: trusted ?? [] });
}

function rootsAt(sizes: readonly number[] | undefined) {
  const wanted = new Set(sizes);
  const known = new Map<number, Buffer>();
  const leaves: Buffer[] = [];
  return {
    note(tree: CompactRange, leaf: Buffer | null): void {
      if (sizes === undefined) {
        if (leaf !== null) leaves.push(leaf);
      } else if (wanted.has(tree.size)) known.set(tree.size, rootOf(tree));
    },
    at: (asked: readonly number[]): Map<number, Buffer> => {
      if (sizes !== undefined) return known;
      const found = new Map<number, Buffer>();
      const remaining = new Set(asked);
      let tree = emptyRange;
      if (remaining.has(0)) found.set(0, rootOf(tree));
      for (const leaf of leaves) {
        tree = appendLeaf(tree, leaf);
        if (remaining.has(tree.size)) found.set(tree.size, rootOf(tree));
      }
      return found;
    },
  };
}

function disclosureFault(entry: Entry, disclosed: Disclosed | undefined): Fault | null {
  if (disclosed === undefined) return null;
  for (const [field, content] of Object.entries(disclosed)) {
    const commitment = isPrivateField(field) ? entry.private[field] : undefined;
    if (commitment === undefined || !isPrivateField(field) || !opens(field, content, commitment))
      return fault('commitment_mismatch', entry.seq, `disclosed ${field} is not what the entry commits to`);
  }
  return null;
}

const isPrivateField = (field: string): field is PrivateField =>
  (privateFields as readonly string[]).includes(field);

function opens(field: PrivateField, content: { salt: string; value: string }, commitment: string): boolean {
  try {
    return commit(field, content.salt, content.value) === commitment;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** All checkpoints, smallest first, or the first fault among them. */
function openAll({ checkpoints, trusted }: TrustedCheckpoints, origin: string | null): Checkpoint[] | Fault {
  const opened: Checkpoint[] = [];
  for (const note of checkpoints) {
    try {
      const { text, signers } = openNote(note, trusted);
      const checkpoint = parseCheckpoint(text);
      if (!signers.includes(checkpoint.origin))
        return fault(
          'bad_signature',
          null,
          `checkpoint of ${checkpoint.origin} is not signed under that name`,
        );
      if (origin !== null && checkpoint.origin !== origin)
        return fault('foreign_log', null, `checkpoint belongs to ${checkpoint.origin}, not to ${origin}`);
      opened.push(checkpoint);
    } catch (error) {
      if (error instanceof CheckpointMalformed) return fault('bad_checkpoint', null, error.message);
      if (!(error instanceof NoteRefused)) throw error;
      return fault(error.code === 'malformed_note' ? 'bad_checkpoint' : 'bad_signature', null, error.message);
    }
  }
  return opened.sort((a, b) => a.size - b.size);
}

function checkpointFault(
  checkpoints: readonly Checkpoint[],
  size: number,
  rootsOf: (sizes: readonly number[]) => Map<number, Buffer>,
): Fault | null {
  const roots = rootsOf(checkpoints.map((checkpoint) => checkpoint.size));
  let vouched = 0;
  for (const checkpoint of checkpoints) {
    if (checkpoint.size > size)
      return fault(
        'truncated',
        size,
        `checkpoint covers ${String(checkpoint.size)} entries, the log has ${String(size)}`,
      );
    const root = roots.get(checkpoint.size);
    if (root === undefined)
      throw new RangeError(`size ${String(checkpoint.size)} was not announced to the verifier`);
    if (!root.equals(checkpoint.root)) {
      const at = Math.max(checkpoint.size - 1, 0);
      const detail = `entries ${String(vouched)} to ${String(at)} do not have the root that was signed`;
      return { ...fault('root_mismatch', at, detail), since: Math.min(vouched, at) };
    }
    vouched = checkpoint.size;
  }
  return null;
}
