import type { ReportResult } from '@agentlattice/contracts';
import type { Disclosed, Entry, EntryDraft, EntrySource } from '@agentlattice/ledger';
import type { Recorded } from './recorded.js';

/** The content of an entry of any source, before its position and time are known. */
export type EntryFacts = Omit<EntryDraft, 'id' | 'time' | 'source' | 'source_seq'>;

/** A submission before it is in the log; it gets its time and numbers with its position. */
export interface SubmissionDraft {
  readonly kind: 'submission';
  readonly id: string;
  readonly facts: EntryFacts;
  readonly content: Disclosed;
  /** X-AL-Event-ID as JSON text; null when there is none. */
  readonly eventKey: string | null;
  readonly actionDigest: string;
  /** The stored record without the deadline, which depends on the entry's time. */
  readonly recorded: Recorded;
}

/** An event of another service, or the ledger's own about a log; it already has its time and numbers. */
export interface EventDraft {
  readonly kind: 'event';
  readonly id: string;
  readonly facts: EntryFacts;
  readonly content: Disclosed;
  readonly source: Exclude<EntrySource, 'audit-ledger'>;
  readonly gpos: number;
  readonly sourceSeq: number;
  readonly time: string;
}

/** The report of an outcome; it gets its time and numbers with its position. */
export interface ReportDraft {
  readonly kind: 'report';
  readonly id: string;
  readonly facts: EntryFacts;
  readonly content: Disclosed;
  readonly report: StoredReport;
}

/** A notice of the ledger about a log itself; it gets its time and numbers with its position. */
export interface NoticeDraft {
  readonly kind: 'notice';
  readonly id: string;
  readonly facts: EntryFacts;
  readonly content: Disclosed;
}

export type Draft = SubmissionDraft | EventDraft | ReportDraft | NoticeDraft;

/** The rows of a written entry, all columns as text. */
export interface EntryRow {
  readonly entry: Entry;
  readonly text: string;
  readonly leaf: Buffer;
  /** Set for the ledger's own events. */
  readonly gpos: number | null;
  readonly content: Disclosed;
  readonly submission: StoredSubmission | null;
  readonly report: StoredReport | null;
}

/** The part of a report that remains when its values are erased. */
export interface StoredReport {
  /** Entry of the action. */
  readonly actionId: string;
  readonly status: ReportResult['status'];
}

/** A submission as it is in the log. */
export interface WrittenSubmission {
  readonly entry: Entry;
  readonly content: Disclosed;
  readonly stored: StoredSubmission;
}

export interface StoredSubmission {
  readonly eventKey: string | null;
  readonly actionDigest: string;
  readonly recorded: Recorded;
}
