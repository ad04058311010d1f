import { readBy, type WakeHint, wakeHint, wakeSubject } from '@agentlattice/contracts';
import { type AskedApproval, OpenedRequests } from '../domain/opened-requests.js';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';

const wakePrefix = wakeSubject('');

type Tell = (hint: WakeHint | null) => void;

/** Told when an approval may have been decided. */
export interface Wake {
  /**
   * Resolves at the first wake-up, or when there will be none; one that came before counts. Null: read how it stands.
   * Only the deciding service can say more, and whoever uses it must have been shown the request before (ADR 19).
   */
  readonly heard: Promise<WakeHint | null>;
  forget(): void;
}

/**
 * Wake-ups of requests that somebody waits for. They come straight from the deciding transaction; where one is lost,
 * the approval's event from the relay wakes as well, and a new connection wakes all.
 */
export class DecisionWakes {
  private readonly waiting = new Map<string, Set<Tell>>();
  private readonly opened = new OpenedRequests();
  private readonly subscriptions: Subscription[] = [];
  private stopped = false;

  constructor(private readonly nc: NatsConnection) {}

  async start(): Promise<void> {
    this.subscriptions.push(
      this.nc.subscribe(`${wakePrefix}*`, {
        callback: (_error, message) => {
          const approvalId = message.subject.slice(wakePrefix.length);
          this.opened.hear(approvalId, performance.now());
          if (this.waiting.has(approvalId)) this.wake(approvalId, hintIn(message, approvalId));
        },
      }),
      this.nc.subscribe('events.*.approval.*', {
        callback: (_error, message) => {
          // That a request was opened ends nobody's waiting.
          if (this.waiting.size === 0 || message.subject.endsWith('.opened')) return;
          for (const id of approvalsIn(message.string())) {
            this.opened.hear(id, performance.now());
            this.wake(id);
          }
        },
      }),
    );
    await this.nc.flush();
    void this.wakeAllOnReconnect();
  }

  /** Nobody waits any longer, and nobody will. */
  stop(): void {
    this.stopped = true;
    for (const subscription of this.subscriptions) subscription.unsubscribe();
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
  noteOpened(asked: AskedApproval): void {
    this.opened.note(asked, performance.now());
  }

  /** How many milliseconds longer the request counts as pending though nobody asks; 0: not known. */
  pendingFor(asked: AskedApproval): number {
    return this.stopped ? 0 : this.opened.pendingFor(asked, performance.now());
  }

  get ended(): boolean {
    return this.stopped;
  }

  private wake(approvalId: string, hint: WakeHint | null = null): void {
    for (const tell of this.waiting.get(approvalId) ?? []) tell(hint);
  }

  private wakeAll(): void {
    for (const listeners of this.waiting.values()) for (const tell of listeners) tell(null);
  }

  private async wakeAllOnReconnect(): Promise<void> {
    for await (const status of this.nc.status()) {
      if (this.stopped) return;
      if (status.type !== 'reconnect') continue;
      this.opened.forgetAll(performance.now());
      this.wakeAll();
    }
  }
}

/** Ids in a message of events: it need not be read further to know whom it may concern. */
const approvalsIn = (text: string) => new Set(text.match(/apr_[0-9a-z]{26}/g));

/** Null for one that is empty, or that cannot be read. */
function hintIn(message: Msg, approvalId: string): WakeHint | null {
  if (message.data.length === 0) return null;
  try {
    const hint = readBy(wakeHint, message.json());
    return hint.success && hint.data.ended.approval_id === approvalId ? hint.data : null;
  } catch {
    return null;
  }
}
