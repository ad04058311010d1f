import type { Entry } from '@agentlattice/ledger';
import { type CommitStore, EventKeyTaken, WriterLost } from '../domain/commit-store.js';
import type { EntryRow, EventDraft, NoticeDraft, ReportDraft } from '../domain/draft.js';
import { type LogHeads, type Refusal, settle, stage, type Staged } from '../domain/log-heads.js';
import {
  CommitQueue,
  type CommitQueueClocks,
  type DraftOutcome,
  type Finished,
  type QueuedSubmission,
  type Waiting,
} from './commit-queue.js';
import { recordCommit, recordFailedCommit } from './record-commit.js';
import { repetitionOf, type Submission, type SubmissionResult } from './submission-result.js';

export interface GroupCommitPorts extends CommitQueueClocks {
  readonly store: CommitStore;
  readonly originOf: (orgId: string) => string;
  readonly newId: () => string;
  /** Gets the results of a whole commit at once. */
  readonly deliver: (results: readonly (readonly [Submission, SubmissionResult])[]) => void;
  readonly committed: (rows: readonly EntryRow[]) => void;
  readonly failed: (error: unknown) => void;
}

/** How long a failed commit counts when no other follows. */
const failureHoldsMs = 10_000;

/** An event or a report that cannot be written as it is. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}

/**
 * One commit at a time. While none runs, an arrival is written at once; while one runs, arrivals are collected for the next.
 * A result is given only after the commit of its entry.
 */
export class GroupCommit {
  private readonly queue: CommitQueue;
  private running: Promise<void> | null = null;
  private runningSince: number | null = null;
  /** The time of the first failed commit since the last success. */
  private failingSince: number | null = null;
  private failedAt = 0;
  private closed: Error | null = null;
  /** The database's time at one moment of the monotonic clock. */
  private anchor: { readonly database: number; readonly monotonic: number };

  constructor(
    private heads: LogHeads,
    databaseNow: number,
    private readonly ports: GroupCommitPorts,
  ) {
    this.queue = new CommitQueue(ports);
    this.anchor = { database: databaseNow, monotonic: ports.monotonic() };
  }

  submit(submissions: readonly Submission[]): void {
    const results: [Submission, SubmissionResult][] = [];
    for (const submission of submissions) {
      const detail = this.overload;
      if (detail === null) this.queue.addSubmission(submission);
      else results.push([submission, { kind: 'unavailable', detail }]);
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
    const detail = this.overload;
    if (detail !== null) throw new EventRefused(detail);
    const outcome = await this.outcomeOf(draft);
    if ('code' in outcome) throw new EventRefused(`report ${draft.id}: ${outcome.detail}`);
    return outcome.entry;
  }

  /** Resolves when the notice is in the log. @throws when it cannot be written, or not now */
  async notice(draft: NoticeDraft): Promise<void> {
    const outcome = await this.outcomeOf(draft);
    if ('code' in outcome) throw new EventRefused(`${draft.facts.type} ${draft.id}: ${outcome.detail}`);
  }

  private outcomeOf(draft: EventDraft | ReportDraft | NoticeDraft): Promise<EntryRow | Refusal> {
    return new Promise((resolve, reject) => {
      if (this.closed !== null) return reject(this.closed);
      this.queue.addDraft(draft, (outcome) =>
        outcome instanceof Error ? reject(outcome) : resolve(outcome),
      );
      this.start();
    });
  }

  /** Writes nothing more; waiting drafts get `unavailable` or `reason`. Waits for the commit under way. */
  async close(reason: Error): Promise<void> {
    this.closed ??= reason;
    this.abandon(this.queue.takeAll(), reason);
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
   * For how long waiting drafts could not be written, because a commit hangs or all commits have failed. Some time after the
   * last failure it is 0 again, because then no draft waits and the state is unknown.
   */
  get blockedMs(): number {
    const now = this.ports.monotonic();
    const isFailing = this.failingSince !== null && now - this.failedAt < failureHoldsMs;
    return Math.max(this.stuckMs, isFailing ? now - (this.failingSince ?? 0) : 0);
  }

  private get overload(): string | null {
    return this.closed === null ? this.queue.overload : 'the audit log is changing hands';
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
      const taken = this.queue.take();
      this.finish(taken.late);
      let batch: readonly Waiting[] = taken.batch;
      if (batch.length === 0) continue;
      this.runningSince = this.ports.monotonic();
      try {
        // Otherwise each that was written before fails a commit, which costs the others a second one.
        if (batch.some(isSentAgain)) batch = await this.answerFound(batch, isSentAgain);
        if (batch.length > 0) await this.write(batch);
      } catch (error) {
        await this.giveUp(batch, error);
      } finally {
        this.runningSince = null;
      }
    }
  }

  private async write(batch: readonly Waiting[]): Promise<void> {
    const { store, originOf, newId } = this.ports;
    const staged = stage(
      this.heads,
      batch.map(({ draft }) => draft),
      { now: this.databaseNow(), originOf, newId },
    );
    if (staged.rows.length > 0) {
      const startedAt = performance.now();
      try {
        const database = await store.commit(this.heads, staged);
        this.anchor = { database, monotonic: this.ports.monotonic() };
      } catch (error) {
        if (!(error instanceof EventKeyTaken)) {
          recordFailedCommit(startedAt);
          throw error;
        }
        return await this.answerRepetitions(batch);
      }
      this.failingSince = null;
      this.heads = settle(this.heads, staged);
      recordCommit(staged.rows, startedAt);
      this.ports.committed(staged.rows);
    }
    this.finish(batch.map((waiting) => writtenOf(waiting, staged)));
  }

  /** Few submissions are repetitions, so those that no gateway sent again are looked up only when the database reports one. */
  private async answerRepetitions(batch: readonly Waiting[]): Promise<void> {
    const rest = await this.answerFound(batch, isSubmission);
    if (rest.length === batch.length) throw new Error('an event key is taken, but no entry has it');
    this.queue.putBack(rest);
  }

  /** Answers the wanted ones that are in the log. @returns all others */
  private async answerFound(
    batch: readonly Waiting[],
    isWanted: (waiting: Waiting) => waiting is QueuedSubmission,
  ): Promise<readonly Waiting[]> {
    const drafts = batch.filter(isWanted).map(({ submission }) => submission.draft);
    const found = await this.ports.store.findByEventKey(drafts);
    const repeated: Finished[] = [];
    const rest: Waiting[] = [];
    for (const waiting of batch) {
      const first = waiting.kind === 'submission' ? found.get(waiting.submission.draft) : undefined;
      if (waiting.kind !== 'submission' || first === undefined) rest.push(waiting);
      else repeated.push({ waiting, result: repetitionOf(waiting.submission, first) });
    }
    this.finish(repeated);
    return rest;
  }

  /**
   * The batch was not written, or its outcome is unknown: none of it gets a verdict, and the heads are read from the tables
   * again.
   */
  private async giveUp(batch: readonly Waiting[], error: unknown): Promise<void> {
    const reason = error instanceof Error ? error : new Error(String(error));
    this.failedAt = this.ports.monotonic();
    this.failingSince ??= this.failedAt;
    this.ports.failed(error);
    if (reason instanceof WriterLost) this.closed ??= reason;
    this.abandon(batch, reason);
    if (this.closed !== null) return this.abandon(this.queue.takeAll(), this.closed);
    try {
      this.heads = await this.ports.store.load();
    } catch (failure) {
      const lost = new WriterLost('the head of the log cannot be read', { cause: failure });
      this.closed ??= lost;
      // This ends the term of the active writer, and another term begins. Otherwise nothing would be written any more.
      this.ports.failed(lost);
      this.abandon(this.queue.takeAll(), this.closed);
    }
  }

  private abandon(batch: readonly Waiting[], reason: Error): void {
    const result: SubmissionResult = { kind: 'unavailable', detail: 'the entry could not be written' };
    this.finish(
      batch.map((waiting) =>
        waiting.kind === 'submission' ? { waiting, result } : { waiting, outcome: reason },
      ),
    );
  }

  private finish(finished: readonly Finished[]): void {
    const results = this.queue.finish(finished);
    if (results.length > 0) this.ports.deliver(results);
  }

  private databaseNow(): number {
    return this.anchor.database + (this.ports.monotonic() - this.anchor.monotonic);
  }
}

const isSubmission = (waiting: Waiting): waiting is QueuedSubmission => waiting.kind === 'submission';
const isSentAgain = (waiting: Waiting): waiting is QueuedSubmission =>
  isSubmission(waiting) && waiting.submission.item.again === true;

function writtenOf(waiting: Waiting, staged: Staged): Finished {
  const refusal = staged.refused.get(waiting.draft);
  const row = staged.placed.get(waiting.draft);
  if (waiting.kind === 'draft') {
    const outcome: DraftOutcome = refusal ?? row ?? new Error('the entry was not written');
    return { waiting, outcome };
  }
  if (refusal !== undefined) return { waiting, result: { kind: 'refused', detail: refusal.detail } };
  if (row === undefined || row.submission === null)
    return { waiting, result: { kind: 'unavailable', detail: 'the entry was not written' } };
  const first = { entry: row.entry, content: row.content, stored: row.submission };
  return { waiting, result: { kind: 'written', first } };
}
