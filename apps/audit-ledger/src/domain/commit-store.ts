import type { LogHeads, Staged } from './log-heads.js';
import type { SubmissionDraft, WrittenSubmission } from './draft.js';

/** Where commits go. Everything is on disk when a promise resolves. */
export interface CommitStore {
  /**
   * Writes all of it or nothing.
   * @returns the database's time in milliseconds
   * @throws EventKeyTaken, WriterLost, or the error of the database
   */
  commit(before: LogHeads, staged: Staged): Promise<number>;
  /** Earlier submissions with the same keys, by draft. */
  findByEventKey(drafts: readonly SubmissionDraft[]): Promise<Map<SubmissionDraft, WrittenSubmission>>;
  /** The heads as the tables have them. */
  load(): Promise<LogHeads>;
}

/** A submission of the batch is a repetition: nothing was written. */
export class EventKeyTaken extends Error {
  override readonly name = 'EventKeyTaken';
}

/** The connection is gone or another writer has taken over: nothing more may be written here. */
export class WriterLost extends Error {
  override readonly name = 'WriterLost';
}
