import { erasableValues } from '@agentlattice/contracts';
import { respondTo } from '@agentlattice/messaging';
import { createLogger } from '@agentlattice/observability';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { FakeSource } from './fake-source.js';

interface Values {
  readonly reason: string | null;
  readonly note: string | null;
}

/** A source that stores erasable values of its events. */
export class SourceWithValues extends FakeSource {
  readonly values = new Map<string, Values>();
  /** The ids of each request. */
  readonly asked: string[][] = [];
  /** How many of them it answers, as if no more would fit a message. */
  maxAtOnce = 64;
  private valueRequests: Subscription | undefined;

  constructor(
    private readonly connection: NatsConnection,
    source: 'approval-service' | 'gateway',
  ) {
    super(connection, source);
    this.answerRequests();
  }

  /** Answers requests for erasable values. */
  answerRequests(): void {
    this.valueRequests = respondTo(this.connection, {
      command: erasableValues(this.name),
      queue: this.name,
      logger: createLogger('test', 'silent'),
      handler: (payload) => {
        const { events } = payload as { events: { event_id: string }[] };
        const event_ids = events.map(({ event_id }) => event_id).slice(0, this.maxAtOnce);
        this.asked.push(events.map(({ event_id }) => event_id));
        return {
          answered: event_ids,
          values: event_ids.flatMap((event_id) => {
            const found = this.values.get(event_id);
            return found === undefined ? [] : [{ event_id, ...found }];
          }),
        };
      },
    });
  }

  /** Its events are still published; requests for their erasable values find no responder. */
  stopAnswering(): void {
    this.valueRequests?.unsubscribe();
  }

  /** It takes requests for erasable values and never answers. */
  hang(): void {
    this.stopAnswering();
    this.valueRequests = this.connection.subscribe(erasableValues(this.name).subject, {
      callback: () => {},
    });
  }
}

export class FakeApprovalService extends SourceWithValues {
  constructor(connection: NatsConnection) {
    super(connection, 'approval-service');
  }
}
