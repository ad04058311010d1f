import { encodeEntry } from './encode-entry.js';
import { type Entry, zeroHash } from './entry.js';
import { leafHashOfText } from './tree-hash.js';

/** The content of an entry before it has its position in the log. With `delegation` it becomes an entry of version 2. */
export type EntryDraft = Omit<Entry, 'v' | 'log' | 'seq' | 'prev_hash'>;

/** The end of a log. */
export interface ChainHead {
  readonly log: string;
  readonly size: number;
  /** Lower-case hex leaf hash of the last entry; 64 zeros for an empty log. */
  readonly lastHash: string;
}

export interface ChainedEntry {
  readonly entry: Entry;
  readonly text: string;
  readonly leaf: Buffer;
  readonly head: ChainHead;
}

export const emptyChain = (log: string): ChainHead => ({ log, size: 0, lastHash: zeroHash });

/**
 * Gives a draft the next position in a log. Version 2 is used only where an agent acts for others.
 * @throws EntryRefused when the draft cannot be encoded; the head given stays valid
 */
export function chainEntry(head: ChainHead, draft: EntryDraft): ChainedEntry {
  const { delegation, ...rest } = draft;
  const version = delegation === undefined ? ({ v: 1 } as const) : ({ v: 2, delegation } as const);
  const entry: Entry = { ...rest, ...version, log: head.log, seq: head.size, prev_hash: head.lastHash };
  const text = encodeEntry(entry);
  const leaf = leafHashOfText(text);
  return {
    entry,
    text,
    leaf,
    head: { log: head.log, size: head.size + 1, lastHash: leaf.toString('hex') },
  };
}
