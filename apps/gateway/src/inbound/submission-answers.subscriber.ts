import {
  ledgerHeartbeatSubject,
  submissionAnswer,
  submissionReplySubject,
  submissionUnavailable,
  unavailableReplySubject,
} from '@agentlattice/contracts';
import { subscribeBatches } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { SubmissionPipeline } from '../outbound/submission-pipeline.js';

/** Receives the answers to this instance's submissions, and the heartbeat of the audit ledger. */
export class SubmissionAnswersSubscriber {
  private readonly subscriptions: Subscription[] = [];

  constructor(
    private readonly nc: NatsConnection,
    private readonly instance: string,
    private readonly pipeline: Pick<SubmissionPipeline, 'heartbeat' | 'settle' | 'refuse'>,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    const { nc, logger, instance, pipeline } = this;
    this.subscriptions.push(
      nc.subscribe(ledgerHeartbeatSubject, { callback: () => pipeline.heartbeat() }),
      subscribeBatches(nc, {
        subject: submissionReplySubject(instance),
        item: submissionAnswer,
        logger,
        handler: (answers) => pipeline.settle(answers),
      }),
      subscribeBatches(nc, {
        subject: unavailableReplySubject(instance),
        item: submissionUnavailable,
        logger,
        handler: (items) => pipeline.refuse(items),
      }),
    );
    await nc.flush();
  }

  /** Resolves when all received messages are handled. */
  async stop(): Promise<void> {
    await Promise.all(this.subscriptions.map((subscription) => subscription.drain()));
  }
}
