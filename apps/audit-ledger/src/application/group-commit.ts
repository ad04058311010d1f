import type { AppendItem } from '@agentlattice/contracts';
import type { Disclosed, Entry } from '@agentlattice/ledger';
import { type LogHeads, type Refusal, settle, stage, type Staged } from '../domain/log-heads.js';
import type {
  Draft,
  EntryRow,
  EventDraft,
  ReportDraft,
  StoredSubmission,
  SubmissionDraft,
} from '../domain/draft.js';

/** What a submission came to. `first` is what stands in the log, be it this one or the one it repeats. */
export type SubmissionResult =
  | { readonly kind: 'written' | 'repeated'; readonly first: WrittenSubmission }
  /** `first`: what the key stands for. */
  | { readonly kind: 'key_reused'; readonly first: WrittenSubmission }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly detail: string }
  /** Nobody waits for an answer any more; nothing was written. */
  | { readonly kind: 'expired' };

export interface WrittenSubmission {
  readonly entry: Entry;
  readonly content: Disclosed;
  readonly stored: StoredSubmission;
}

export interface Submission {
  readonly item: AppendItem;
  readonly draft: SubmissionDraft;
  readonly expiresAt: number;
}

/** Where commits go. Everything is on disk when a promise resolves. */
export interface CommitStore {
  /**
   * Writes all of it or nothing.
   * @returns the database's time in milliseconds
   * @throws EventKeyTaken, WriterLost, or whatever the database says
   */
  commit(before: LogHeads, staged: Staged): Promise<number>;
  /** Earlier submissions with the same keys, by draft. */
  findByEventKey(drafts: readonly SubmissionDraft[]): Promise<Map<SubmissionDraft, WrittenSubmission>>;
  /** The heads as the tables have it. */
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

export interface GroupCommitPorts {
  readonly store: CommitStore;
  readonly originOf: (orgId: string) => string;
  readonly newId: () => string;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
  readonly wallClock: () => number;
  /** Gets the results of a whole commit at once. */
  readonly deliver: (results: readonly (readonly [Submission, SubmissionResult])[]) => void;
  readonly committed: (rows: readonly EntryRow[]) => void;
  readonly failed: (error: unknown) => void;
}

export const commitLimits = {
  entries: 512,
  bytes: 4 * 1024 * 1024,
  queued: 10_000,
  /** Ten thousand of the largest entries fit in no heap (deploy/memory.json). */
  queuedBytes: 32 * 1024 * 1024,
  waitMs: 1_000,
} as const;

/** How long a failed commit counts when none follows. */
const failureHoldsMs = 10_000;

interface Waiting {
  readonly draft: Draft;
  readonly bytes: number;
  readonly since: number;
  /** Set for submissions. */
  readonly submission: Submission | null;
  /** Later ones with the same key, answered with it. */
  readonly joined: Submission[];
  /** Set for anything else. */
  readonly done: ((outcome: Refusal | Error | EntryRow) => void) | null;
}

/**
 * One commit at a time. Idle, an arrival is written at once; while a commit runs, arrivals gather for the next
 * one. An answer is given after the commit that holds its entry, never before.
 */
export class GroupCommit {
  private queue: Waiting[] = [];
  /** Of all that waits or is being written, repetitions too. */
  private heldBytes = 0;
  private readonly inFlight = new Map<string, Waiting>();
  private running: Promise<void> | null = null;
  private runningSince: number | null = null;
  /** When the first of the commits failed that have failed since the last success. */
  private failingSince: number | null = null;
  private failedAt = 0;
  private closed: Error | null = null;
  /** The database's time at one moment of ours. */
  private anchor: { readonly database: number; readonly ours: number };

  constructor(
    private heads: LogHeads,
    databaseNow: number,
    private readonly ports: GroupCommitPorts,
  ) {
    this.anchor = { database: databaseNow, ours: ports.monotonic() };
  }

  submit(submissions: readonly Submission[]): void {
    const results: [Submission, SubmissionResult][] = [];
    for (const submission of submissions) {
      const refused = this.overloaded();
      if (refused === null) this.enqueue(submission);
      else results.push([submission, { kind: 'unavailable', detail: refused }]);
    }
    if (results.length > 0) this.ports.deliver(results);
    this.start();
  }

  /** Resolves when the event is in the log. @throws EventRefused when it cannot be, or the writer is lost */
  async append(draft: EventDraft): Promise<void> {
    const outcome = await this.outcomeOf(draft);
    if ('code' in outcome && outcome.code !== 'known')
      throw new EventRefused(`${draft.source} event ${draft.id} (${draft.facts.type}): ${outcome.detail}`);
  }

  /** Resolves with the report's entry once it is on disk. @throws when it cannot be written, or not now */
  async report(draft: ReportDraft): Promise<Entry> {
    const overloaded = this.overloaded();
    if (overloaded !== null) throw new EventRefused(overloaded);
    const outcome = await this.outcomeOf(draft);
    if ('code' in outcome) throw new EventRefused(`report ${draft.id}: ${outcome.detail}`);
    return outcome.entry;
  }

  private outcomeOf(draft: EventDraft | ReportDraft): Promise<EntryRow | Refusal> {
    return new Promise((resolve, reject) => {
      if (this.closed !== null) return reject(this.closed);
      const done = (outcome: Refusal | Error | EntryRow) =>
        outcome instanceof Error ? reject(outcome) : resolve(outcome);
      this.push({ draft, submission: null, joined: [], done });
      this.start();
    });
  }

  /** Nothing is written from now on; whoever waits is told. The commit under way is waited for. */
  async close(reason: Error): Promise<void> {
    this.closed ??= reason;
    this.abandon(this.queue.splice(0), reason);
    await this.running;
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  /** How long the commit under way has been running, in milliseconds. */
  get stuckMs(): number {
    return this.runningSince === null ? 0 : this.ports.monotonic() - this.runningSince;
  }

  /**
   * For how long nothing could be written although something waits: a commit hangs, or all have failed since then. Once
   * nobody asks any more nothing is known, and nothing waits.
   */
  get blockedMs(): number {
    const failing = this.failingSince !== null && this.ports.monotonic() - this.failedAt < failureHoldsMs;
    return Math.max(this.stuckMs, failing ? this.ports.monotonic() - (this.failingSince ?? 0) : 0);
  }

  private overloaded(): string | null {
    if (this.closed !== null) return 'the audit log is changing hands';
    if (this.queue.length >= commitLimits.queued || this.heldBytes >= commitLimits.queuedBytes)
      return 'too many actions are waiting';
    const [oldest] = this.queue;
    const late = oldest !== undefined && this.ports.monotonic() - oldest.since > commitLimits.waitMs;
    return late ? 'the audit log is slow' : null;
  }

  private enqueue(submission: Submission): void {
    const key = keyOf(submission.draft);
    const first = key === null ? undefined : this.inFlight.get(key);
    if (first !== undefined) {
      this.heldBytes += bytesOf(submission.draft);
      return void first.joined.push(submission);
    }
    const waiting = this.push({ draft: submission.draft, submission, joined: [], done: null });
    if (key !== null) this.inFlight.set(key, waiting);
  }

  private push(waiting: Omit<Waiting, 'bytes' | 'since'>): Waiting {
    const bytes = bytesOf(waiting.draft);
    const complete = { ...waiting, bytes, since: this.ports.monotonic() };
    this.queue.push(complete);
    this.heldBytes += bytes;
    return complete;
  }

  private start(): void {
    if (this.running !== null || this.queue.length === 0 || this.closed !== null) return;
    this.running = this.run().finally(() => {
      this.running = null;
      this.start();
    });
  }

  private async run(): Promise<void> {
    while (this.queue.length > 0 && this.closed === null) {
      const batch = this.cut();
      if (batch.length === 0) continue;
      this.runningSince = this.ports.monotonic();
      try {
        await this.write(batch);
      } catch (error) {
        await this.giveUp(batch, error);
      } finally {
        this.runningSince = null;
      }
    }
  }

  /** Takes what one commit holds. What waited too long is not written, so that nothing is written unexpectedly. */
  private cut(): Waiting[] {
    const batch: Waiting[] = [];
    const over: [Waiting, SubmissionResult][] = [];
    let bytes = 0;
    let taken = 0;
    const now = this.ports.monotonic();
    const wall = this.ports.wallClock();
    for (const waiting of this.queue) {
      if (
        batch.length >= commitLimits.entries ||
        (batch.length > 0 && bytes + waiting.bytes > commitLimits.bytes)
      )
        break;
      taken++;
      const { submission } = waiting;
      if (submission !== null && wall >= submission.expiresAt) over.push([waiting, { kind: 'expired' }]);
      else if (submission !== null && now - waiting.since > commitLimits.waitMs)
        over.push([waiting, { kind: 'unavailable', detail: 'the audit log is slow' }]);
      else {
        batch.push(waiting);
        bytes += waiting.bytes;
      }
    }
    this.queue.splice(0, taken);
    this.finish(over);
    return batch;
  }

  private async write(batch: Waiting[]): Promise<void> {
    const { store, originOf, newId } = this.ports;
    const context = { now: this.databaseNow(), originOf, newId };
    const staged = stage(
      this.heads,
      batch.map(({ draft }) => draft),
      context,
    );
    if (staged.rows.length > 0) {
      try {
        const database = await store.commit(this.heads, staged);
        this.anchor = { database, ours: this.ports.monotonic() };
      } catch (error) {
        if (!(error instanceof EventKeyTaken)) throw error;
        return await this.answerRepetitions(batch);
      }
      this.failingSince = null;
      this.heads = settle(this.heads, staged);
      this.ports.committed(staged.rows);
    }
    this.finish(batch.map((waiting) => [waiting, this.resultOf(waiting, staged)]));
  }

  /** Only a few submissions are repetitions: they are looked up when the database says there is one, not before. */
  private async answerRepetitions(batch: Waiting[]): Promise<void> {
    const drafts = batch.map(({ draft }) => draft).filter((draft) => draft.kind === 'submission');
    const found = await this.ports.store.findByEventKey(drafts);
    if (found.size === 0) throw new Error('an event key is taken, but nobody has it');
    const repeated: [Waiting, SubmissionResult][] = [];
    const rest: Waiting[] = [];
    for (const waiting of batch) {
      const first = waiting.draft.kind === 'submission' ? found.get(waiting.draft) : undefined;
      if (first === undefined || waiting.submission === null) rest.push(waiting);
      else repeated.push([waiting, repetition(waiting.submission, first)]);
    }
    this.queue.unshift(...rest);
    this.finish(repeated);
  }

  private resultOf(waiting: Waiting, staged: Staged): SubmissionResult | Refusal | Error | EntryRow {
    const refusal = staged.refused.get(waiting.draft);
    const row = staged.placed.get(waiting.draft);
    if (waiting.submission === null) return refusal ?? row ?? new Error('the entry was not written');
    if (refusal !== undefined) return { kind: 'refused', detail: refusal.detail };
    if (row === undefined || row.submission === null)
      return { kind: 'unavailable', detail: 'the entry was not written' };
    const first = { entry: row.entry, content: row.content, stored: row.submission };
    return { kind: 'written', first };
  }

  /** Whether it was written is unknown or it was not: nobody hears that it was, and the truth is read from the tables. */
  private async giveUp(batch: Waiting[], error: unknown): Promise<void> {
    const reason = error instanceof Error ? error : new Error(String(error));
    this.failedAt = this.ports.monotonic();
    this.failingSince ??= this.failedAt;
    this.ports.failed(error);
    if (reason instanceof WriterLost) this.closed ??= reason;
    this.abandon(batch, reason);
    if (this.closed !== null) return this.abandon(this.queue.splice(0), this.closed);
    try {
      this.heads = await this.ports.store.load();
    } catch (failure) {
      const lost = new WriterLost('the head of the log cannot be read', { cause: failure });
      this.closed ??= lost;
      // Whoever holds the duty hears that it is over, and begins anew; without that nothing would be written any more.
      this.ports.failed(lost);
      this.abandon(this.queue.splice(0), this.closed);
    }
  }

  private abandon(batch: readonly Waiting[], reason: Error): void {
    const result: SubmissionResult = { kind: 'unavailable', detail: 'the entry could not be written' };
    this.finish(batch.map((waiting) => [waiting, waiting.submission === null ? reason : result]));
  }

  private finish(
    outcomes: readonly (readonly [Waiting, SubmissionResult | Refusal | Error | EntryRow])[],
  ): void {
    const results: [Submission, SubmissionResult][] = [];
    for (const [waiting, outcome] of outcomes) {
      this.heldBytes -= waiting.bytes;
      if (waiting.submission === null) {
        waiting.done?.(outcome as Refusal | Error | EntryRow);
        continue;
      }
      const result = outcome as SubmissionResult;
      const key = keyOf(waiting.submission.draft);
      if (key !== null) this.inFlight.delete(key);
      results.push([waiting.submission, result]);
      for (const joined of waiting.joined) {
        this.heldBytes -= bytesOf(joined.draft);
        results.push([joined, joinedResult(joined, result)]);
      }
    }
    if (results.length > 0) this.ports.deliver(results);
  }

  private databaseNow(): number {
    return this.anchor.database + (this.ports.monotonic() - this.anchor.ours);
  }
}

/** An event or a report that cannot be written as it is. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}

/** About what an entry takes, with its values. */
function bytesOf({ content }: Draft): number {
  let bytes = 2_000;
  for (const { value } of Object.values(content)) bytes += value.length;
  return bytes;
}

const keyOf = ({ facts, eventKey }: SubmissionDraft) =>
  eventKey === null ? null : `${facts.org_id} ${facts.agent?.id ?? ''} ${eventKey}`;

const repetition = ({ draft }: Submission, first: WrittenSubmission): SubmissionResult =>
  first.stored.actionDigest === draft.actionDigest
    ? { kind: 'repeated', first }
    : { kind: 'key_reused', first };

/** A concurrent duplicate is compared with what its key stands for; if nothing was written, neither was this one. */
function joinedResult(joined: Submission, result: SubmissionResult): SubmissionResult {
  switch (result.kind) {
    case 'written':
    case 'repeated':
    case 'key_reused':
      return repetition(joined, result.first);
    case 'refused':
    case 'expired':
      return { kind: 'unavailable', detail: 'the submission it repeats was not written' };
    case 'unavailable':
      return result;
  }
}
