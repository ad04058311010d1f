import type { WakeHint } from '@agentlattice/contracts';
import { type ApprovalReference, OpenedRequests } from '../domain/opened-requests.js';

type Resolve = (hint: WakeHint | null) => void;

/** A caller's wait for the wake-up of one request. */
export interface Wake {
  /**
   * Resolves at the first wake-up since the wait began, or when no more will come. Null: the caller reads the state.
   * Only the deciding service sends a hint, and only a caller that was shown the request before may use it (ADR 19).
   */
  readonly woken: Promise<WakeHint | null>;
  forget(): void;
}

/** The requests that callers of this gateway wait for. `inbound/wake-ups.subscriber.ts` receives the wake-ups. */
export class DecisionWakes {
  private readonly waiting = new Map<string, Set<Resolve>>();
  private readonly opened = new OpenedRequests();
  private stopped = false;

  /** Ends every wait; later ones end at once. */
  stop(): void {
    this.stopped = true;
    this.wakeAll();
  }

  /** Begins to listen. A caller that reads the state after this call misses no decision. */
  of(approvalId: string): Wake {
    if (this.stopped) return { woken: Promise.resolve(null), forget: () => {} };
    const { promise: woken, resolve } = Promise.withResolvers<WakeHint | null>();
    const listeners = this.waiting.get(approvalId) ?? new Set<Resolve>();
    this.waiting.set(approvalId, listeners.add(resolve));
    return {
      woken,
      forget: () => {
        listeners.delete(resolve);
        if (listeners.size === 0 && this.waiting.get(approvalId) === listeners)
          this.waiting.delete(approvalId);
      },
    };
  }

  /** Records that a submission of this gateway was answered with a pending request. */
  noteOpened(request: ApprovalReference): void {
    this.opened.note(request, performance.now());
  }

  /** How many milliseconds longer the request counts as pending without being read; 0: not known. */
  pendingFor(request: ApprovalReference): number {
    return this.stopped ? 0 : this.opened.pendingFor(request, performance.now());
  }

  get ended(): boolean {
    return this.stopped;
  }

  /** How many callers wait now. */
  get waiters(): number {
    let sum = 0;
    for (const listeners of this.waiting.values()) sum += listeners.size;
    return sum;
  }

  get isWaitedFor(): boolean {
    return this.waiting.size > 0;
  }

  /** The request may have been decided. @param hint how it ended, read only where a caller waits */
  wake(approvalId: string, hint: () => WakeHint | null): void {
    this.opened.noteWakeUp(approvalId, performance.now());
    const listeners = this.waiting.get(approvalId);
    if (listeners === undefined) return;
    const ending = hint();
    for (const resolve of listeners) resolve(ending);
  }

  /** Wake-ups may have been lost: every waiting caller reads the state. */
  reconnected(): void {
    this.opened.forgetAll(performance.now());
    this.wakeAll();
  }

  private wakeAll(): void {
    for (const listeners of this.waiting.values()) for (const resolve of listeners) resolve(null);
  }
}
