import type { Draft, EntryRow } from '../domain/draft.js';
import type { Refusal } from '../domain/log-heads.js';
import { type Submission, submissionKey, type SubmissionResult, joinedResult } from './submission-result.js';

export const commitLimits = {
  entries: 512,
  bytes: 4 * 1024 * 1024,
  queued: 10_000,
  /** Ten thousand of the largest entries exceed the heap (deploy/memory.json). */
  queuedBytes: 32 * 1024 * 1024,
  waitMs: 1_000,
} as const;

/** The outcome of an event or a report: its row, or why there is none. */
export type DraftOutcome = EntryRow | Refusal | Error;

interface Queued {
  readonly draft: Draft;
  readonly bytes: number;
  /** Monotonic. */
  readonly since: number;
}
export interface QueuedSubmission extends Queued {
  readonly kind: 'submission';
  readonly submission: Submission;
  /** Later ones with the same key, which get its result. */
  readonly joined: Submission[];
}
export interface QueuedDraft extends Queued {
  readonly kind: 'draft';
  readonly done: (outcome: DraftOutcome) => void;
}
export type Waiting = QueuedSubmission | QueuedDraft;

export type Finished =
  | { readonly waiting: QueuedSubmission; readonly result: SubmissionResult }
  | { readonly waiting: QueuedDraft; readonly outcome: DraftOutcome };

export interface CommitQueueClocks {
  /** Milliseconds of a monotonic clock. */
  readonly monotonic: () => number;
  readonly wallClock: () => number;
}

/** Drafts that wait for a commit, in order of arrival. Limited in number, bytes and time. */
export class CommitQueue {
  private queue: Waiting[] = [];
  /** Of all drafts that wait or are being written, including repetitions. */
  private heldBytes = 0;
  /** Submissions with a key that wait or are being written. */
  private readonly inFlight = new Map<string, QueuedSubmission>();

  constructor(private readonly clocks: CommitQueueClocks) {}

  get length(): number {
    return this.queue.length;
  }

  /** Why no more drafts are accepted; null while there is room. */
  get overload(): string | null {
    if (this.queue.length >= commitLimits.queued || this.heldBytes >= commitLimits.queuedBytes)
      return 'too many actions are waiting';
    const [oldest] = this.queue;
    const isLate = oldest !== undefined && this.clocks.monotonic() - oldest.since > commitLimits.waitMs;
    return isLate ? 'the audit log is slow' : null;
  }

  addSubmission(submission: Submission): void {
    const bytes = bytesOf(submission.draft);
    this.heldBytes += bytes;
    const key = submissionKey(submission.draft);
    const first = key === null ? undefined : this.inFlight.get(key);
    if (first !== undefined) return void first.joined.push(submission);
    const waiting: QueuedSubmission = {
      kind: 'submission',
      draft: submission.draft,
      bytes,
      since: this.clocks.monotonic(),
      submission,
      joined: [],
    };
    this.queue.push(waiting);
    if (key !== null) this.inFlight.set(key, waiting);
  }

  addDraft(draft: Draft, done: (outcome: DraftOutcome) => void): void {
    const bytes = bytesOf(draft);
    this.heldBytes += bytes;
    this.queue.push({ kind: 'draft', draft, bytes, since: this.clocks.monotonic(), done });
  }

  /** Takes the drafts of one commit, and the submissions before them that waited too long, which are not written. */
  take(): { readonly batch: Waiting[]; readonly late: Finished[] } {
    const batch: Waiting[] = [];
    const late: Finished[] = [];
    let bytes = 0;
    let taken = 0;
    const now = this.clocks.monotonic();
    const wall = this.clocks.wallClock();
    for (const waiting of this.queue) {
      const isFull = batch.length > 0 && bytes + waiting.bytes > commitLimits.bytes;
      if (batch.length >= commitLimits.entries || isFull) break;
      taken++;
      const result = waiting.kind === 'submission' ? lateResult(waiting, now, wall) : null;
      if (waiting.kind === 'submission' && result !== null) late.push({ waiting, result });
      else {
        batch.push(waiting);
        bytes += waiting.bytes;
      }
    }
    this.queue.splice(0, taken);
    return { batch, late };
  }

  takeAll(): Waiting[] {
    return this.queue.splice(0);
  }

  /** Puts taken drafts back in front of the queue. */
  putBack(batch: readonly Waiting[]): void {
    this.queue.unshift(...batch);
  }

  /**
   * Finishes taken drafts: events and reports get their outcomes, submissions are returned with their results, and so are the
   * repetitions that joined them.
   */
  finish(finished: readonly Finished[]): (readonly [Submission, SubmissionResult])[] {
    const results: [Submission, SubmissionResult][] = [];
    for (const one of finished) {
      this.heldBytes -= one.waiting.bytes;
      if (!('result' in one)) {
        one.waiting.done(one.outcome);
        continue;
      }
      const { submission, joined } = one.waiting;
      const key = submissionKey(submission.draft);
      if (key !== null) this.inFlight.delete(key);
      results.push([submission, one.result]);
      for (const other of joined) {
        this.heldBytes -= bytesOf(other.draft);
        results.push([other, joinedResult(other, one.result)]);
      }
    }
    return results;
  }
}

function lateResult(
  { submission, since }: QueuedSubmission,
  now: number,
  wall: number,
): SubmissionResult | null {
  if (wall >= submission.expiresAt) return { kind: 'expired' };
  return now - since > commitLimits.waitMs ? { kind: 'unavailable', detail: 'the audit log is slow' } : null;
}

/** The approximate size of an entry with its values. */
function bytesOf({ content }: Draft): number {
  let bytes = 2_000;
  for (const { value } of Object.values(content)) bytes += value.length;
  return bytes;
}
