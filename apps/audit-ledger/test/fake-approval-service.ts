import { erasableValues } from '@agentlattice/contracts';
import { respondTo } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { FakeSource } from './fake-source.js';

interface Said {
  readonly reason: string | null;
  readonly note: string | null;
}

/** A service as the ledger sees it that knows what was said with its events. */
export class SpeakingSource extends FakeSource {
  readonly said = new Map<string, Said>();
  /** The ids of each question. */
  readonly asked: string[][] = [];
  /** How many of them it answers, as when no more fit a message. */
  mostAtOnce = 64;
  private words: Subscription | undefined;

  constructor(
    private readonly connection: NatsConnection,
    source: 'approval-service' | 'gateway',
  ) {
    super(connection, source);
    this.speak();
  }

  /** Answers what was said with events. */
  speak(): void {
    this.words = respondTo(this.connection, {
      command: erasableValues(this.name),
      queue: this.name,
      logger: createLogger('test', 'silent'),
      handler: (payload) => {
        const { events } = payload as { events: { event_id: string }[] };
        const event_ids = events.map(({ event_id }) => event_id).slice(0, this.mostAtOnce);
        this.asked.push(events.map(({ event_id }) => event_id));
        return {
          answered: event_ids,
          values: event_ids.flatMap((event_id) => {
            const said = this.said.get(event_id);
            return said === undefined ? [] : [{ event_id, ...said }];
          }),
        };
      },
    });
  }

  /** Its events still come; what was said with them is not to be had. */
  fallSilent(): void {
    this.words?.unsubscribe();
  }

  /** It is asked and never answers. */
  hang(): void {
    this.fallSilent();
    this.words = this.connection.subscribe(erasableValues(this.name).subject, {
      callback: () => {},
    });
  }
}

export class FakeApprovalService extends SpeakingSource {
  constructor(connection: NatsConnection) {
    super(connection, 'approval-service');
  }
}
