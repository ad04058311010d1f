import { parseEntry } from '@agentlattice/ledger';
import { parseDisclosed } from '../domain/commitments.js';
import type { WrittenSubmission } from '../domain/draft.js';
import { parseRecorded } from '../domain/recorded.js';

/** A submission with its entry and its values that were not erased. */
export interface SubmissionRow {
  readonly bytes: Buffer;
  readonly content: string | null;
  readonly event_key: string | null;
  readonly action_digest: string;
  readonly record: string;
}
export const submissionColumns = 'e.bytes, p.content, s.event_key, s.action_digest, s.record';

export const writtenSubmission = (row: SubmissionRow): WrittenSubmission => ({
  entry: parseEntry(row.bytes),
  content: row.content === null ? {} : parseDisclosed(row.content),
  stored: {
    eventKey: row.event_key,
    actionDigest: row.action_digest,
    recorded: parseRecorded(row.record),
  },
});
