import type { LogHeads, Staged } from './log-heads.js';
import type { SubmissionDraft, WrittenSubmission } from './draft.js';

/** Stores commits. Everything is on disk when a promise resolves. */
export interface CommitStore {
  /**
   * Writes everything or nothing.
   * @returns the database's time in milliseconds
   * @throws EventKeyTaken, WriterLost, or the error of the database
   */
  commit(before: LogHeads, staged: Staged): Promise<number>;
  /** Earlier submissions with the same keys, by draft. */
  findByEventKey(drafts: readonly SubmissionDraft[]): Promise<Map<SubmissionDraft, WrittenSubmission>>;
  /** The heads in the tables. */
  load(): Promise<LogHeads>;
}

/** A submission of the batch is a repetition: nothing was written. */
export class EventKeyTaken extends Error {
  override readonly name = 'EventKeyTaken';
}

/** The connection is lost or another writer has taken over: this process must not write any more. */
export class WriterLost extends Error {
  override readonly name = 'WriterLost';
}
