import {
  appendLeaf,
  chainEntry,
  type ChainHead,
  type CompactRange,
  emptyChain,
  emptyRange,
  EntryRefused,
  type EntrySource,
} from '@agentlattice/ledger';
import type {
  Draft,
  EntryFacts,
  EntryRow,
  EventDraft,
  NoticeDraft,
  ReportDraft,
  SubmissionDraft,
} from './draft.js';
import { aboutLog } from './notices.js';
import { withDeadline } from './recorded.js';

/** The end of one log: the data that the next entry needs. */
export interface LogEnd {
  readonly head: ChainHead;
  readonly tree: CompactRange;
  /** How many events of each source are in the log. */
  readonly positions: Readonly<Partial<Record<EntrySource, number>>>;
}

/** The writer's knowledge of the state on disk. Only `settle` changes it, so a failed commit changes nothing. */
export interface LogHeads {
  readonly logs: Map<string, LogEnd>;
  /** Number of the ledger's own last event. */
  readonly gpos: number;
  /** The times of the ledger's own entries never decrease. */
  readonly timeMs: number;
  /** The position of each other service. */
  readonly sources: ReadonlyMap<EntrySource, number>;
}

export interface StageContext {
  /** The estimated time of the database in milliseconds. */
  readonly now: number;
  readonly originOf: (orgId: string) => string;
  readonly newId: () => string;
}

export type Refusal = { readonly code: 'malformed' | 'out_of_order' | 'known'; readonly detail: string };

/** The content of a commit. */
export interface Staged {
  readonly gpos: number;
  readonly timeMs: number;
  readonly sources: ReadonlyMap<EntrySource, number>;
  readonly rows: readonly EntryRow[];
  /** The new ends of the logs that grew, with the number of their new entries. */
  readonly grown: ReadonlyMap<string, { readonly end: LogEnd; readonly by: number }>;
  /** Drafts that are not written; the others are. */
  readonly refused: ReadonlyMap<Draft, Refusal>;
  readonly placed: ReadonlyMap<Draft, EntryRow>;
}

/** Gives each draft the next position in its log, in the order given. */
export function stage(heads: LogHeads, drafts: readonly Draft[], context: StageContext): Staged {
  return new Stage(heads, context).all(drafts);
}

/** The heads after the commit; only the ends of logs that grew are touched. */
export function settle(heads: LogHeads, { gpos, timeMs, sources, grown }: Staged): LogHeads {
  for (const [orgId, { end }] of grown) heads.logs.set(orgId, end);
  return { logs: heads.logs, gpos, timeMs, sources };
}

class Stage {
  private readonly ends = new Map<string, LogEnd>();
  private readonly sources: Map<EntrySource, number>;
  private readonly blocked = new Set<EntrySource>();
  private readonly rows: EntryRow[] = [];
  private readonly refused = new Map<Draft, Refusal>();
  private readonly placed = new Map<Draft, EntryRow>();
  private readonly timeMs: number;
  private readonly time: string;
  private gpos: number;

  constructor(
    private readonly heads: LogHeads,
    private readonly context: StageContext,
  ) {
    this.gpos = heads.gpos;
    this.sources = new Map(heads.sources);
    this.timeMs = Math.max(heads.timeMs, Math.floor(context.now));
    this.time = new Date(this.timeMs).toISOString();
  }

  all(drafts: readonly Draft[]): Staged {
    for (const draft of drafts) {
      const refusal = this.take(draft);
      if (refusal !== null) this.refused.set(draft, refusal);
    }
    const grown = new Map<string, { end: LogEnd; by: number }>();
    for (const [orgId, end] of this.ends)
      grown.set(orgId, { end, by: end.head.size - (this.heads.logs.get(orgId)?.head.size ?? 0) });
    const { gpos, timeMs, sources, rows, refused, placed } = this;
    return { gpos, timeMs, sources, rows, grown, refused, placed };
  }

  private take(draft: Draft): Refusal | null {
    if (draft.kind !== 'event') return this.attempt(draft, () => this.stageOwn(draft));
    const { source, gpos, sourceSeq } = draft;
    if (gpos <= (this.sources.get(source) ?? 0)) return { code: 'known', detail: 'the event is in the log' };
    const wanted = (this.end(draft.facts.org_id)?.positions[source] ?? 0) + 1;
    // Events of a source stay in order: those after a refused one are refused as well.
    if (this.blocked.has(source) || gpos !== (this.sources.get(source) ?? 0) + 1 || sourceSeq !== wanted) {
      this.blocked.add(source);
      return {
        code: 'out_of_order',
        detail: `${source} is at ${String(wanted)}, not at ${String(sourceSeq)}`,
      };
    }
    const refusal = this.attempt(draft, () => this.stageForeign(draft));
    if (refusal === null) this.sources.set(source, gpos);
    else this.blocked.add(source);
    return refusal;
  }

  /** An entry that cannot be encoded is left out; the chain goes on without it. */
  private attempt(draft: Draft, enter: () => EntryRow): Refusal | null {
    try {
      this.openLog(draft.facts.org_id);
      this.placed.set(draft, enter());
      return null;
    } catch (error) {
      if (!(error instanceof EntryRefused)) throw error;
      return { code: 'malformed', detail: error.message };
    }
  }

  private stageOwn(draft: SubmissionDraft | ReportDraft | NoticeDraft): EntryRow {
    if (draft.kind === 'notice') return this.enter(draft, 'audit-ledger', this.time, noSubmissionOrReport);
    if (draft.kind === 'report')
      return this.enter(draft, 'audit-ledger', this.time, { submission: null, report: draft.report });
    const recorded = withDeadline(draft.recorded, this.time);
    const { eventKey, actionDigest } = draft;
    const submission = { eventKey, actionDigest, recorded };
    return this.enter(draft, 'audit-ledger', this.time, { submission, report: null });
  }

  private stageForeign(draft: EventDraft): EntryRow {
    return this.enter(draft, draft.source, draft.time, noSubmissionOrReport);
  }

  /** The first entry of every log records its creation. */
  private openLog(orgId: string): void {
    if (this.end(orgId) !== undefined) return;
    const origin = this.context.originOf(orgId);
    this.ends.set(orgId, { head: emptyChain(origin), tree: emptyRange, positions: {} });
    try {
      const created = { id: this.context.newId(), facts: aboutLog('ledger.created', orgId, {}), content: {} };
      this.enter(created, 'audit-ledger', this.time, noSubmissionOrReport);
    } catch (error) {
      this.ends.delete(orgId);
      throw error;
    }
  }

  private enter(
    draft: { id: string; facts: EntryFacts; content: EntryRow['content'] },
    source: EntrySource,
    time: string,
    stored: Pick<EntryRow, 'submission' | 'report'>,
  ): EntryRow {
    const { org_id } = draft.facts;
    const end = this.end(org_id);
    if (end === undefined) throw new Error('an entry needs a log');
    const source_seq = (end.positions[source] ?? 0) + 1;
    const chained = chainEntry(end.head, { ...draft.facts, id: draft.id, time, source, source_seq });
    const gpos = source === 'audit-ledger' ? ++this.gpos : null;
    const { entry, text, leaf } = chained;
    const row: EntryRow = { entry, text, leaf, gpos, content: draft.content, ...stored };
    this.rows.push(row);
    this.ends.set(org_id, {
      head: chained.head,
      tree: appendLeaf(end.tree, leaf),
      positions: { ...end.positions, [source]: source_seq },
    });
    return row;
  }

  private end(orgId: string): LogEnd | undefined {
    return this.ends.get(orgId) ?? this.heads.logs.get(orgId);
  }
}

const noSubmissionOrReport = { submission: null, report: null };
