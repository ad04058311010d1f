import type { AppendItem } from '@agentlattice/contracts';
import type { SubmissionDraft, WrittenSubmission } from '../domain/draft.js';

export interface Submission {
  readonly item: AppendItem;
  readonly draft: SubmissionDraft;
  /** Epoch milliseconds after which the caller no longer waits for the answer. */
  readonly expiresAt: number;
}

/** The result of a submission. `first` is the one in the log: this one, or the one it repeats. */
export type SubmissionResult =
  | { readonly kind: 'written' | 'repeated'; readonly first: WrittenSubmission }
  /** The event id belongs to another action, `first`. */
  | { readonly kind: 'key_reused'; readonly first: WrittenSubmission }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly detail: string }
  /** The caller no longer waits; nothing was written. */
  | { readonly kind: 'expired' };

/** Identifies a submission that may be repeated; null when the agent gave no event id. */
export const submissionKey = ({ facts, eventKey }: SubmissionDraft): string | null =>
  eventKey === null ? null : `${facts.org_id} ${facts.agent?.id ?? ''} ${eventKey}`;

/** A submission whose event id is in the log already. */
export const repetitionOf = ({ draft }: Submission, first: WrittenSubmission): SubmissionResult =>
  first.stored.actionDigest === draft.actionDigest
    ? { kind: 'repeated', first }
    : { kind: 'key_reused', first };

/**
 * The result of a submission that arrived while another one with its key was being written; `result` is that of the other.
 */
export function joinedResult(joined: Submission, result: SubmissionResult): SubmissionResult {
  switch (result.kind) {
    case 'written':
    case 'repeated':
    case 'key_reused':
      return repetitionOf(joined, result.first);
    case 'refused':
    case 'expired':
      return { kind: 'unavailable', detail: 'the submission it repeats was not written' };
    case 'unavailable':
      return result;
  }
}
