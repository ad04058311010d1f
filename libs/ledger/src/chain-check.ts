import { appendLeaf, type CompactRange, emptyRange, rootOf } from './compact-range.js';
import { EntryRefused, parseEntry } from './encode-entry.js';
import { type Entry, zeroHash } from './entry.js';
import { leafHash } from './tree-hash.js';
import type { Fault, FaultCode } from './verdict.js';

interface Link {
  readonly entry: Entry;
  readonly leaf: Buffer;
  /** The tree up to, not including, this entry. */
  readonly before: CompactRange;
}

/** A possible fault; its position is certain only with the next entry or the checkpoint's root. */
type Doubt =
  | { readonly kind: 'broken_link'; readonly previous: Link; readonly current: Link }
  | { readonly kind: 'same_place'; readonly previous: Link; readonly current: Link };

/** A fault in the sequence; later entries show whether an entry is missing or only misplaced. */
interface Misplaced {
  readonly at: number;
  readonly seq: number;
  foundLater: boolean;
  repeated: boolean;
}

const fault = (code: FaultCode, at: number, detail: string): Fault => ({ ok: false, code, at, detail });

/**
 * Checks one log entry by entry: form, position, link to the entry before, completeness of each source. Names the first bad
 * entry, which may be before the one where the fault is noticed: an edited entry is noticed at the next one.
 */
export class ChainCheck {
  private range: CompactRange = emptyRange;
  private last: Link | null = null;
  private count = 0;
  private found: Fault | null = null;
  private doubt: Doubt | null = null;
  private misplaced: Misplaced | null = null;
  private readonly sources = new Map<string, number>();

  constructor(private log: string | null) {}

  get origin(): string | null {
    return this.log;
  }
  get size(): number {
    return this.count;
  }
  get tree(): CompactRange {
    return this.range;
  }
  get lastHash(): string {
    return this.last?.leaf.toString('hex') ?? zeroHash;
  }
  /** True once a fault is certain; its kind and position may still depend on later entries. */
  get broken(): boolean {
    return this.found !== null || this.doubt !== null || this.misplaced !== null;
  }

  /** Takes the next entry. Returns it when it fits, null from the first fault on. */
  push(bytes: Uint8Array): Link | null {
    const at = this.count++;
    if (this.found !== null) return null;
    const entry = this.read(bytes, at);
    if (entry === null) return null;
    if (this.misplaced !== null) {
      if (entry.seq === this.misplaced.at) this.misplaced.foundLater = true;
      if (entry.seq === this.misplaced.seq) this.misplaced.repeated = true;
      return null;
    }
    const link: Link = { entry, leaf: leafHash(bytes), before: this.range };
    if (this.doubt !== null) {
      this.found = this.resolve(this.doubt, entry, at);
      return null;
    }
    if (!this.judge(link, at)) return null;
    this.range = appendLeaf(this.range, link.leaf);
    this.last = link;
    return link;
  }

  /** Everything was read. `root`: the root and size of a trusted checkpoint, which may confirm a possible fault. */
  finish(trusted: { size: number; root: Buffer } | null): Fault | null {
    if (this.found !== null) return this.found;
    if (this.misplaced !== null) return misplacedFault(this.misplaced);
    if (this.doubt === null) return null;
    return this.settle(this.doubt, trusted);
  }

  private read(bytes: Uint8Array, at: number): Entry | null {
    try {
      return parseEntry(bytes);
    } catch (error) {
      if (!(error instanceof EntryRefused)) throw error;
      // An older possible fault remains the first fault: it is before this entry.
      if (!this.broken) this.found = fault('malformed', at, error.message);
      return null;
    }
  }

  private judge(link: Link, at: number): boolean {
    const { entry } = link;
    const previous = this.last;
    if (entry.seq !== at) return this.outOfPlace(link, previous, at);
    this.log ??= entry.log;
    if (entry.log !== this.log)
      return this.fail('foreign_log', at, `entry belongs to ${entry.log}, not to ${this.log}`);
    if (entry.prev_hash !== this.lastHash) {
      if (previous === null) return this.fail('chain_broken', at, 'the first entry must follow 64 zeros');
      this.doubt = { kind: 'broken_link', previous, current: link };
      return false;
    }
    const wanted = (this.sources.get(entry.source) ?? 0) + 1;
    if (entry.source_seq !== wanted)
      return this.fail(
        'source_gap',
        at,
        `${entry.source} is at ${String(entry.source_seq)}, ${String(wanted)} was to follow`,
      );
    this.sources.set(entry.source, wanted);
    return true;
  }

  private outOfPlace(link: Link, previous: Link | null, at: number): boolean {
    const { entry } = link;
    if (previous !== null && entry.seq === at - 1) {
      if (link.leaf.equals(previous.leaf))
        return this.fail('inserted', at, `entry ${String(at - 1)} stands there twice`);
      if (entry.prev_hash === previous.entry.prev_hash) {
        this.doubt = { kind: 'same_place', previous, current: link };
        return false;
      }
    }
    if (entry.prev_hash === this.lastHash)
      return this.fail('edited', at, `entry calls itself number ${String(entry.seq)}`);
    this.misplaced = { at, seq: entry.seq, foundLater: false, repeated: entry.seq < at };
    return false;
  }

  /** The entry after a possible fault links to one of the two entries before it. */
  private resolve(doubt: Doubt, next: Entry, at: number): Fault {
    const { previous, current } = doubt;
    const knowsCurrent = next.prev_hash === current.leaf.toString('hex');
    if (doubt.kind === 'same_place') {
      const inserted = knowsCurrent ? at - 2 : at - 1;
      return fault('inserted', inserted, `two entries claim place ${String(at - 2)}`);
    }
    if (next.seq === current.entry.seq && next.prev_hash === previous.leaf.toString('hex'))
      return fault('inserted', at - 1, `entry is not known to the one that follows ${String(at - 2)}`);
    if (knowsCurrent) return edited(at - 2);
    return brokenLink(at - 1);
  }

  /** The possible fault is at the very end: only the root of a checkpoint over exactly these entries can confirm it. */
  private settle(doubt: Doubt, trusted: { size: number; root: Buffer } | null): Fault {
    const { previous, current } = doubt;
    const last = this.count - 1;
    const rootWith = (...leaves: Buffer[]) => rootOf(leaves.reduce(appendLeaf, previous.before));
    if (doubt.kind === 'same_place') {
      const currentIsTrue = trusted?.size === last && rootWith(current.leaf).equals(trusted.root);
      return fault(
        'inserted',
        currentIsTrue ? last - 1 : last,
        `two entries claim place ${String(last - 1)}`,
      );
    }
    const claimed = Buffer.from(current.entry.prev_hash, 'hex');
    const previousWasEdited =
      trusted?.size === this.count && rootWith(claimed, current.leaf).equals(trusted.root);
    return previousWasEdited ? edited(last - 1) : brokenLink(last);
  }

  private fail(code: FaultCode, at: number, detail: string): false {
    this.found = fault(code, at, detail);
    return false;
  }
}

const edited = (at: number) => fault('edited', at, 'the entry that follows was written after another one');
const brokenLink = (at: number) => fault('chain_broken', at, 'entry does not follow the one before it');

function misplacedFault({ at, seq, foundLater, repeated }: Misplaced): Fault {
  const detail = `entry ${String(seq)} stands at place ${String(at)}`;
  if (repeated) return fault('inserted', at, detail);
  return fault(foundLater ? 'reordered' : 'sequence_gap', at, detail);
}
