import { parseWith, type WakeHint, wakeHint, wakeSubject } from '@agentlattice/contracts';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { DecisionWakes } from '../application/decision-wakes.js';

const wakePrefix = wakeSubject('');

/**
 * Receives wake-ups of requests that were decided. They are sent right after the deciding transaction. When one is lost, the
 * approval's event from the relay wakes the caller, and after a reconnect all callers are woken.
 */
export class WakeUpsSubscriber {
  private readonly subscriptions: Subscription[] = [];
  private stopped = false;

  constructor(
    private readonly nc: NatsConnection,
    private readonly wakes: Pick<DecisionWakes, 'wake' | 'reconnected' | 'isWaitedFor'>,
  ) {}

  async start(): Promise<void> {
    this.subscriptions.push(
      this.nc.subscribe(`${wakePrefix}*`, {
        callback: (_error, message) => {
          const approvalId = message.subject.slice(wakePrefix.length);
          this.wakes.wake(approvalId, () => hintIn(message, approvalId));
        },
      }),
      this.nc.subscribe('events.*.approval.*', {
        callback: (_error, message) => {
          // The opening of a request ends no wait.
          if (!this.wakes.isWaitedFor || message.subject.endsWith('.opened')) return;
          for (const id of approvalsIn(message.string())) this.wakes.wake(id, () => null);
        },
      }),
    );
    await this.nc.flush();
    void this.followConnection();
  }

  stop(): void {
    this.stopped = true;
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private async followConnection(): Promise<void> {
    for await (const status of this.nc.status()) {
      if (this.stopped) return;
      if (status.type === 'reconnect') this.wakes.reconnected();
    }
  }
}

/** The ids of requests in a message of events, found without parsing it. */
const approvalsIn = (text: string) => new Set(text.match(/apr_[0-9a-z]{26}/g));

/** Null for a message that is empty or cannot be read. */
function hintIn(message: Msg, approvalId: string): WakeHint | null {
  if (message.data.length === 0) return null;
  try {
    const hint = parseWith(wakeHint, message.json());
    return hint.success && hint.data.ended.approval_id === approvalId ? hint.data : null;
  } catch {
    return null;
  }
}
