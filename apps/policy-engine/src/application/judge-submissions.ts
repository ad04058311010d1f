import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type AppendItem,
  appendSubject,
  type SubmissionItem,
  type SubmissionUnavailable,
  unavailableReplySubject,
} from '@agentlattice/contracts';
import { type BatchContext, FairQueue } from '@agentlattice/messaging';
import { recordSpan } from '@agentlattice/observability';
import { typeid } from 'typeid-js';
import { judgeAction } from '../domain/judge-action.js';
import type { LivePolicies } from '../read/live-policies.js';

/** How long one turn keeps the thread before other events run; one item may take some ms more. */
const sliceMs = 3;
/** The most waiting items of one workspace; more could not be judged within the time limit of a batch. */
const maxWaiting = 2_000;

type Publish = (subject: string, items: readonly unknown[], expiresAt: number) => void;

/** A batch whose items are judged in turns with those of other workspaces. */
interface Batch {
  readonly expiresAt: number;
  /** Runs in the batch's span. */
  readonly inContext: <R>(work: () => R) => R;
  left: number;
  readonly done: () => void;
}
interface Waiting {
  readonly item: SubmissionItem;
  readonly batch: Batch;
}

/**
 * Judges submissions and forwards them to the ledger. Workspaces take turns, item by item, and the thread is released every few
 * milliseconds: expensive conditions of one workspace delay its own items, and items of others by one of them at most. When no
 * item waits, a batch is judged and forwarded in the turn in which it came; after a pause without batches it first waits for one
 * reading of the revision. An item that cannot be judged is reported to its gateway, which answers 503.
 */
export class JudgeSubmissions {
  private readonly queue = new FairQueue<Waiting>(maxWaiting);
  private scheduled = false;

  constructor(
    private readonly policies: Pick<LivePolicies, 'fresh' | 'becomesFresh' | 'of' | 'delegations' | 'now'>,
    private readonly publish: Publish,
  ) {}

  /** Resolves when the last of them was judged and forwarded. */
  judge(
    items: readonly SubmissionItem[],
    { expiresAt }: Pick<BatchContext, 'expiresAt'>,
  ): Promise<undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const batch: Batch = {
      expiresAt,
      inContext: AsyncLocalStorage.snapshot(),
      left: items.length,
      done: () => resolve(undefined),
    };
    const refused = items.filter((item) => !this.queue.push(item.org_id, { item, batch }));
    if (refused.length > 0) this.refuse(batch, refused, 'too many actions of this workspace are waiting');
    if (!this.scheduled) this.work();
    return promise;
  }

  /** @param looked the revision was just read: if the policies are still stale, the waiting items are refused */
  private work(looked = false): void {
    const fresh = this.policies.fresh();
    if (!fresh && !looked) {
      this.scheduled = true;
      void this.policies.becomesFresh().then(() => this.work(true));
      return;
    }
    this.scheduled = false;
    const began = performance.now();
    const judged = new Map<Batch, AppendItem[]>();
    const late = new Map<Batch, SubmissionItem[]>();
    const now = this.policies.now();
    const judgedAt = new Date(now).toISOString();
    while (performance.now() - began < sliceMs) {
      const waiting = this.queue.take();
      if (waiting === undefined) break;
      const { item, batch } = waiting;
      if (!fresh || Date.now() >= batch.expiresAt) note(late, batch, item);
      else note(judged, batch, this.verdictOn(item, now, judgedAt));
    }
    for (const [batch, items] of judged) {
      batch.inContext(() => this.publish(appendSubject, items, batch.expiresAt));
      settle(batch, items.length);
    }
    for (const [batch, items] of late)
      this.refuse(
        batch,
        items,
        fresh ? 'the action could not be judged in time' : 'the policies here may be out of date',
      );
    if (this.queue.size === 0) return;
    this.scheduled = true;
    setImmediate(() => this.work(!fresh));
  }

  private verdictOn(item: SubmissionItem, now: number, judgedAt: string): AppendItem {
    const startedAt = performance.now();
    const judgement = judgeAction(item, {
      policies: this.policies.of(item.org_id),
      delegations: this.policies.delegations,
      orgId: item.org_id,
      now,
      time: now,
    });
    const { traceparent } = item;
    if (traceparent !== null)
      recordSpan('judge action', {
        ...{ traceparent, kind: 'consumer', startedAt },
        attributes: { 'agentlattice.verdict': judgement.decision },
      });
    const approval_id = judgement.decision === 'requested' ? typeid('apr').toString() : null;
    return { ...item, verdict: { ...judgement, approval_id, judged_at: judgedAt } };
  }

  private refuse(batch: Batch, items: readonly SubmissionItem[], detail: string): void {
    for (const [gateway, own] of Map.groupBy(items, (item) => item.gateway)) {
      const unavailable = own.map(({ item_id }): SubmissionUnavailable => ({ item_id, detail }));
      batch.inContext(() => this.publish(unavailableReplySubject(gateway), unavailable, batch.expiresAt));
    }
    settle(batch, items.length);
  }
}

function note<T>(byBatch: Map<Batch, T[]>, batch: Batch, item: T): void {
  const items = byBatch.get(batch);
  if (items === undefined) byBatch.set(batch, [item]);
  else items.push(item);
}

function settle(batch: Batch, count: number): void {
  batch.left -= count;
  if (batch.left === 0) batch.done();
}
