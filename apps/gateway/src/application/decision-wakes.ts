import type { WakeHint } from '@agentlattice/contracts';
import { type ApprovalReference, OpenedRequests } from '../domain/opened-requests.js';

type Tell = (hint: WakeHint | null) => void;

/** Told when an approval may have been decided. */
export interface Wake {
  /**
   * Resolves at the first wake-up, or when there will be none; one that came before counts. Null: read how it stands.
   * Only the deciding service can say more, and its caller must have been shown the request before (ADR 19).
   */
  readonly heard: Promise<WakeHint | null>;
  forget(): void;
}

/** The requests that callers of this gateway wait for. What comes in about them is told by `inbound/wake-ups.subscriber.ts`. */
export class DecisionWakes {
  private readonly waiting = new Map<string, Set<Tell>>();
  private readonly opened = new OpenedRequests();
  private stopped = false;

  /** Ends every wait; later ones end at once. */
  stop(): void {
    this.stopped = true;
    this.wakeAll();
  }

  /** Listens from now on; read the state after calling this, and no decision is missed. */
  of(approvalId: string): Wake {
    if (this.stopped) return { heard: Promise.resolve(null), forget: () => {} };
    let tell: Tell = () => {};
    const heard = new Promise<WakeHint | null>((resolve) => (tell = resolve));
    const listeners = this.waiting.get(approvalId) ?? new Set<Tell>();
    this.waiting.set(approvalId, listeners.add(tell));
    return {
      heard,
      forget: () => {
        listeners.delete(tell);
        if (listeners.size === 0 && this.waiting.get(approvalId) === listeners)
          this.waiting.delete(approvalId);
      },
    };
  }

  /** A submission of ours was answered: its request is pending. */
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

  get isWaitedFor(): boolean {
    return this.waiting.size > 0;
  }

  /** The request may have been decided. @param hint how it ended, read only where a caller waits */
  hear(approvalId: string, hint: () => WakeHint | null): void {
    this.opened.hear(approvalId, performance.now());
    const listeners = this.waiting.get(approvalId);
    if (listeners === undefined) return;
    const told = hint();
    for (const tell of listeners) tell(told);
  }

  /** Wake-ups may have been lost: every waiting caller reads the state. */
  reconnected(): void {
    this.opened.forgetAll(performance.now());
    this.wakeAll();
  }

  private wakeAll(): void {
    for (const listeners of this.waiting.values()) for (const tell of listeners) tell(null);
  }
}
