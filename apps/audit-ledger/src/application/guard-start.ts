import {
  appendLeaf,
  type Checkpoint,
  type CompactRange,
  emptyRange,
  leafHash,
  noteSigner,
  openNote,
  parseCheckpoint,
  parseVerifierKey,
  rootOf,
} from '@agentlattice/ledger';
import type { KeyObject } from 'node:crypto';
import type { CheckpointArchive } from '../outbound/checkpoint-archive.js';
import type { CheckpointStore, DurableEnd } from '../outbound/checkpoint-store.js';

/** The database does not contain what was signed: a restored backup, a lost tail or a rewritten log. */
export class LogRolledBack extends Error {
  override readonly name = 'LogRolledBack';
}

export interface GuardPorts {
  readonly archive: CheckpointArchive;
  readonly checkpoints: CheckpointStore;
  readonly key: KeyObject;
}

const page = 1_000;

/**
 * Every log must extend its newest checkpoint kept outside of the database, entry by entry.
 * The guard throws LogRolledBack where one does not; then nothing may be signed or written.
 */
export const makeGuardStart =
  ({ archive, checkpoints, key }: GuardPorts) =>
  async (): Promise<void> => {
    for (const [orgId, note] of await archive.newest()) {
      const signed = openCheckpoint(note, key);
      const end = await checkpoints.end(orgId);
      if (end === null)
        throw new LogRolledBack(`the log of ${orgId} is gone; ${String(signed.size)} entries were signed`);
      await extendsCheckpoint(checkpoints, end, signed);
    }
  };

function openCheckpoint(note: string, key: KeyObject): Checkpoint {
  const origin = note.slice(0, note.indexOf('\n'));
  const trusted = parseVerifierKey(noteSigner(origin, key).verifierKey);
  return parseCheckpoint(openNote(note, [trusted]).text);
}

async function extendsCheckpoint(store: CheckpointStore, end: DurableEnd, signed: Checkpoint): Promise<void> {
  const { orgId, origin, tree } = end;
  const fail = (detail: string) => new LogRolledBack(`the log of ${orgId} ${detail}`);
  if (origin !== signed.origin) throw fail(`calls itself ${origin}, signed was ${signed.origin}`);
  if (tree.size < signed.size)
    throw fail(
      `has ${String(tree.size)} entries, ${String(signed.size)} were signed: was a backup restored?`,
    );
  // The stored tree need not be trusted: with the entries after it, it must give the signed root.
  const known = (await store.treeAtMost(orgId, signed.size)) ?? emptyRange;
  const atSigned = await grow(store, orgId, known, signed.size);
  if (atSigned === null || !rootOf(atSigned).equals(signed.root))
    throw fail('is not the one that was signed');
  const atEnd = await grow(store, orgId, atSigned, tree.size);
  if (atEnd === null || !rootOf(atEnd).equals(rootOf(tree)))
    throw fail('does not hold the entries its head speaks of');
}

/** The tree with the stored entries up to `size`; null when some are missing. */
async function grow(
  store: CheckpointStore,
  orgId: string,
  from: CompactRange,
  size: number,
): Promise<CompactRange | null> {
  let tree = from;
  while (tree.size < size) {
    const entries = await store.entryBytes(orgId, tree.size, Math.min(page, size - tree.size));
    if (entries.length === 0) return null;
    for (const bytes of entries) tree = appendLeaf(tree, leafHash(bytes));
  }
  return tree;
}
