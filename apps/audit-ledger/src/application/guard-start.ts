import {
  appendLeaf,
  type Checkpoint,
  type CompactRange,
  emptyRange,
  formatCheckpoint,
  leafHash,
  openNote,
  parseCheckpoint,
  rootOf,
} from '@agentlattice/ledger';
import type { CheckpointKeys } from '../domain/checkpoint-keys.js';
import { type LostTail, lossText, releaseCode, type ReleaseOrder } from '../domain/release.js';
import type { CheckpointArchive } from '../outbound/checkpoint-archive.js';
import type { CheckpointStore, DurableEnd } from '../outbound/checkpoint-store.js';

/** The database does not contain what was signed: a restored backup, a lost tail or a rewritten log. */
export class LogRolledBack extends Error {
  override readonly name = 'LogRolledBack';
}

export interface GuardPorts {
  readonly archive: CheckpointArchive;
  readonly checkpoints: CheckpointStore;
  readonly keys: CheckpointKeys;
}

export interface GuardStartPorts extends GuardPorts {
  /** Null: nothing is released. */
  readonly release: ReleaseOrder | null;
  readonly released: (lost: LostTail) => void;
  /** RFC 3339. */
  readonly now: () => string;
}

const page = 1_000;

/**
 * Every log must extend its newest checkpoint kept outside of the database, entry by entry.
 * The guard throws LogRolledBack where one does not; then nothing may be signed or written. A log that lost its end is released by an
 * order that names exactly this loss; a log with other entries than were signed is not.
 */
export const makeGuardStart = (ports: GuardStartPorts) => async (): Promise<void> => {
  const { archive, checkpoints, keys, release } = ports;
  const lost: { tail: LostTail; end: DurableEnd | null }[] = [];
  for (const [orgId, note] of await archive.newest()) {
    const signed = openCheckpoint(note, keys, orgId);
    const end = await checkpoints.end(orgId);
    if (end !== null && end.tree.size >= signed.size) {
      await extendsCheckpoint(checkpoints, end, signed);
      continue;
    }
    const root = Buffer.from(signed.root).toString('base64');
    lost.push({ tail: { orgId, signed: { size: signed.size, root }, size: end?.tree.size ?? 0 }, end });
  }
  if (lost.length === 0) return;
  const tails = lost.map(({ tail }) => tail);
  if (release?.code !== releaseCode(tails)) throw new LogRolledBack(lossText(tails));
  // All of them are judged before one is released.
  for (const { end } of lost) if (end !== null) await extendsOlderCheckpoint(ports, end);
  for (const { tail, end } of lost) {
    await archive.release({ ...tail, reason: release.reason, at: ports.now() });
    if (end !== null) await archive.append(end.orgId, keys.sign(end.origin, checkpointText(end)));
    ports.released(tail);
  }
};

export const checkpointText = ({ origin, tree }: DurableEnd): string =>
  formatCheckpoint({ origin, size: tree.size, root: rootOf(tree) });

/** The part that is left must be the one that was signed: a release is no way to accept other entries. */
async function extendsOlderCheckpoint(
  { archive, checkpoints, keys }: GuardPorts,
  end: DurableEnd,
): Promise<void> {
  for (const note of await archive.notes(end.orgId)) {
    const signed = openCheckpoint(note, keys, end.orgId);
    if (signed.size <= end.tree.size) return await extendsCheckpoint(checkpoints, end, signed);
  }
  await holdsItsEntries(checkpoints, end, emptyRange);
}

function openCheckpoint(note: string, keys: CheckpointKeys, orgId: string): Checkpoint {
  const origin = note.slice(0, note.indexOf('\n'));
  if (keys.signerOf(origin, note) === null)
    throw new LogRolledBack(
      `the newest checkpoint of ${orgId} was signed with a key that is not in the folder of keys: ` +
        'put it back as audit-ledger-checkpoints.previous.pem (docs/operations/keys.md)',
    );
  return parseCheckpoint(openNote(note, keys.trusted(origin)).text);
}

const fault = ({ orgId }: DurableEnd, detail: string) => new LogRolledBack(`the log of ${orgId} ${detail}`);

/** @param end of a log that has at least as many entries as were signed */
async function extendsCheckpoint(store: CheckpointStore, end: DurableEnd, signed: Checkpoint): Promise<void> {
  const { orgId, origin } = end;
  if (origin !== signed.origin) throw fault(end, `calls itself ${origin}, signed was ${signed.origin}`);
  // The stored tree need not be trusted: with the entries after it, it must give the signed root.
  const known = (await store.treeAtMost(orgId, signed.size)) ?? emptyRange;
  const atSigned = await grow(store, orgId, known, signed.size);
  if (atSigned === null || !rootOf(atSigned).equals(signed.root))
    throw fault(end, 'is not the one that was signed');
  await holdsItsEntries(store, end, atSigned);
}

async function holdsItsEntries(store: CheckpointStore, end: DurableEnd, from: CompactRange): Promise<void> {
  const atEnd = await grow(store, end.orgId, from, end.tree.size);
  if (atEnd === null || !rootOf(atEnd).equals(rootOf(end.tree)))
    throw fault(end, 'does not hold the entries its head speaks of');
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
