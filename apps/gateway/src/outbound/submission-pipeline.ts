import {
  evaluateSubject,
  heartbeatWantedForMs,
  ledgerHeartbeatMs,
  Refused,
  type SubmissionAnswer,
  type SubmissionItem,
  type SubmissionOutcome,
  type SubmissionUnavailable,
  Unavailable,
  wantHeartbeatSubject,
} from '@agentlattice/contracts';
import type { Cleared } from '../domain/act-release.js';
import { type Added, BatchPublisher, HedgingBudget, publishBatches } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { NatsConnection } from '@nats-io/transport-node';

/** Below the 2 s within which a missing part must be reported (design §5). */
const answerWithinMs = 1_800;
/** After so long without an answer an item is sent again, up to three times; half of it after it had to wait in its lane (ADR 73). */
const sentAgainAfterMs = 450;
const silentAfterMs = 4 * ledgerHeartbeatMs;
const wantEveryMs = 1_000;
/** The ledger sends heartbeats only while they are asked for. After so long without asking, a missing heartbeat means nothing. */
const idleAfterMs = heartbeatWantedForMs - wantEveryMs;
/** How long the first heartbeat of an idle ledger may take; below the second within which readiness answers. */
const heartbeatWithinMs = 750;
const sweepMs = 50;

interface Waiting {
  readonly item: SubmissionItem;
  readonly since: number;
  readonly added: Added;
  /** How often it was sent again. */
  again: number;
  /** How many of these may still be answered. */
  underWay: number;
  readonly resolve: (answer: Answered) => void;
  readonly reject: (error: Error) => void;
}

export interface Answered {
  readonly outcome: SubmissionOutcome;
  readonly grant: string | null;
  /** Of an allowed action; null when the answer does not contain it. */
  readonly cleared: Cleared | null;
  /** Whether this is the first answer repeated; its values are those of that time. */
  readonly replayed: boolean;
}

/**
 * The gateway's end of the submission path (decisions §2.1): items leave in batches for the policy-engine, answers come
 * to this instance's own subject from the ledger or the approval-service. An answer counts only if it names the agent
 * and the digest that were sent.
 */
export class SubmissionPipeline {
  private readonly waiting = new Map<string, Waiting>();
  private readonly publisher: BatchPublisher<SubmissionItem>;
  private readonly sendingAgain = new HedgingBudget(0.05);
  private sweeper: NodeJS.Timeout | undefined;
  private heartbeatAt = Number.NEGATIVE_INFINITY;
  private wantedAt = Number.NEGATIVE_INFINITY;
  /** Set while a heartbeat of a possibly idle ledger is awaited. */
  private asked: { readonly answer: Promise<boolean>; readonly heard: () => void } | undefined;
  private sequence = 0;
  private stopped = false;

  constructor(
    private readonly nc: NatsConnection,
    private readonly instance: string,
    private readonly logger: Logger,
  ) {
    this.publisher = new BatchPublisher(nc, evaluateSubject, { lifetimeMs: answerWithinMs });
  }

  heartbeat(): void {
    this.heartbeatAt = performance.now();
    this.asked?.heard();
  }

  /** To be called after HTTP was closed and the last answers came in: submissions that still wait get no answer. */
  stop(): void {
    this.stopped = true;
    clearInterval(this.sweeper);
    this.asked?.heard();
    for (const { reject } of this.waiting.values()) reject(new Unavailable('the gateway stops'));
  }

  ledgerIsAlive(): boolean {
    return performance.now() - this.heartbeatAt <= silentAfterMs;
  }

  /** The same, and asks for heartbeats from now on. A ledger that was not asked for a while gets a moment for the first one. */
  ledgerAnswers(): boolean | Promise<boolean> {
    const now = performance.now();
    const mayRest = now - this.wantedAt > idleAfterMs;
    if (now - this.wantedAt > wantEveryMs && !this.nc.isClosed()) {
      this.wantedAt = now;
      this.nc.publish(wantHeartbeatSubject);
    }
    if (this.ledgerIsAlive()) return true;
    if (mayRest) this.asked ??= this.ask();
    return this.asked?.answer ?? false;
  }

  /**
   * Resolves once the entry is on disk.
   * @throws Unavailable when any part of the path does not answer in time
   */
  submit(facts: Omit<SubmissionItem, 'item_id' | 'gateway'>): Promise<Answered> {
    if (this.stopped) throw new Unavailable('the gateway stops');
    const began = { monotonic: performance.now(), epoch: Date.now() };
    const answers = this.ledgerAnswers();
    if (typeof answers === 'boolean') return this.send(facts, answers, began);
    return answers.then((heard) => this.send(facts, heard, began));
  }

  /** @param began when its time limit began */
  private send(
    facts: Omit<SubmissionItem, 'item_id' | 'gateway'>,
    ledgerIsAlive: boolean,
    began: { readonly monotonic: number; readonly epoch: number },
  ): Promise<Answered> {
    if (this.stopped) throw new Unavailable('the gateway stops');
    if (!ledgerIsAlive) throw new Unavailable('the audit ledger does not answer');
    if (this.nc.isClosed()) throw new Unavailable('NATS does not answer');
    this.sequence += 1;
    const item = { ...facts, item_id: this.sequence.toString(36), gateway: this.instance };
    return new Promise((resolve, reject) => {
      const added = this.publisher.add(item, item.org_id, began.epoch);
      this.waiting.set(item.item_id, {
        ...{ item, since: began.monotonic, added, again: 0, underWay: 1 },
        ...{ resolve, reject },
      });
      this.sweeper ??= setInterval(() => this.sweep(), sweepMs);
    });
  }

  private ask(): { readonly answer: Promise<boolean>; readonly heard: () => void } {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (heard: boolean) => {
      clearTimeout(timer);
      this.asked = undefined;
      resolve(heard);
    };
    // A heartbeat that has arrived may be read only after this timer.
    const timer = setTimeout(() => setImmediate(() => end(this.ledgerIsAlive())), heartbeatWithinMs);
    return { answer: promise, heard: () => end(true) };
  }

  settle(answers: readonly SubmissionAnswer[]): void {
    for (const answer of answers) {
      const { item_id, agent_id, action_digest, error, outcome, grant } = answer;
      if (error?.code === 'UNAVAILABLE') {
        this.refuse([{ item_id, detail: error.detail }]);
        continue;
      }
      const waiting = this.take(item_id);
      if (waiting === undefined) continue;
      this.sendingAgain.answered();
      if (agent_id !== waiting.item.agent.id || action_digest !== waiting.item.action_digest) {
        this.logger.error({ item_id }, 'an answer names another agent or action and is refused');
        waiting.reject(new Unavailable('the answer is for another agent or action'));
      } else if (error !== null) waiting.reject(new Refused(error.code, error.detail));
      else if (outcome === null) waiting.reject(new Unavailable('the answer holds no outcome'));
      else waiting.resolve({ outcome, grant, cleared: clearedIn(answer), replayed: answer.replayed });
    }
  }

  /** A part of the path reported that it cannot answer these submissions. Where they were sent again, another part may answer. */
  refuse(items: readonly SubmissionUnavailable[]): void {
    for (const { item_id, detail } of items) {
      const waiting = this.waiting.get(item_id);
      if (waiting === undefined) continue;
      waiting.underWay -= 1;
      if (waiting.underWay === 0) this.take(item_id)?.reject(new Unavailable(detail));
    }
  }

  private take(itemId: string): Waiting | undefined {
    const waiting = this.waiting.get(itemId);
    if (waiting === undefined) return undefined;
    this.waiting.delete(itemId);
    this.publisher.returned(1, waiting.item.org_id);
    return waiting;
  }

  private sweep(): void {
    if (this.waiting.size === 0) {
      clearInterval(this.sweeper);
      this.sweeper = undefined;
      return;
    }
    this.expireOld();
    this.sendOldAgain();
  }

  /**
   * Items and answers are lost with a replica that hangs or was killed. The log has one entry for an event id, and answers an item that
   * comes again as the first time.
   */
  private sendOldAgain(): void {
    if (this.nc.isClosed()) return;
    const now = performance.now();
    const old: SubmissionItem[] = [];
    let oldest = now;
    for (const waiting of this.waiting.values()) {
      if (waiting.since > now - sentAgainAfterMs) break;
      // Without an event id they would be two; and what waits in its lane is not sent yet.
      const { sentAt } = waiting.added;
      if (waiting.item.client_event_id === null || sentAt === null) continue;
      if (now - waiting.since < sentAgainAfterMs * (waiting.again + 1)) continue;
      if (now - sentAt < sentAgainAfterMs / 2) continue;
      if (!this.sendingAgain.take()) break;
      waiting.again += 1;
      waiting.underWay += 1;
      // It must not hold up the items behind it. That it is reported again when it is answered only widens the window for a moment.
      this.publisher.returned(1, waiting.item.org_id);
      oldest = Math.min(oldest, waiting.since);
      old.push({ ...waiting.item, again: true });
    }
    if (old.length === 0) return;
    publishBatches(this.nc, evaluateSubject, Math.floor(Date.now() + answerWithinMs - (now - oldest)), old);
  }

  /** The map is in order of arrival, so the first young one ends the search. */
  private expireOld(): void {
    const limit = performance.now() - answerWithinMs;
    const dead = !this.ledgerIsAlive();
    for (const [itemId, { since, reject }] of this.waiting) {
      if (since > limit && !dead) break;
      this.take(itemId);
      reject(new Unavailable(dead ? 'the audit ledger does not answer' : 'no verdict came in time'));
    }
  }
}

/** An action that was allowed just now is cleared without an end; a repeated answer contains its times. */
function clearedIn({ replayed, cleared }: SubmissionAnswer): Cleared | null {
  if (cleared !== undefined) return { from: Date.parse(cleared.from), until: Date.parse(cleared.until) };
  return replayed ? null : { from: 0, until: Number.POSITIVE_INFINITY };
}
