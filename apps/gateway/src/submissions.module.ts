import { approvalServiceCommands } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { type Logger, observe } from '@agentlattice/observability';
import { type BaseConfig, COMMANDS, CONFIG, LOGGER, NATS } from '@agentlattice/service';
import {
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { type AwaitDecision, makeAwaitDecision } from './application/await-decision.js';
import { makeApproveRequest } from './application/approve-request.js';
import { DecisionWakes } from './application/decision-wakes.js';
import { makeSubmitAction } from './application/submit-action.js';
import { SubmissionAnswersSubscriber } from './inbound/submission-answers.subscriber.js';
import { WakeUpsSubscriber } from './inbound/wake-ups.subscriber.js';
import { SubmissionPipeline } from './outbound/submission-pipeline.js';
import { APPROVE_REQUEST, AWAIT_DECISION, PIPELINE, SUBMIT_ACTION, WAKES } from './tokens.js';

/** Submissions until their verdict, and the wait for the people who decide. */
@Module({
  providers: [
    {
      provide: PIPELINE,
      inject: [NATS, CONFIG, LOGGER],
      useFactory: (nc: NatsConnection, { instance }: BaseConfig, logger: Logger) =>
        new SubmissionPipeline(nc, instance, logger),
    },
    { provide: WAKES, useFactory: () => new DecisionWakes() },
    {
      provide: AWAIT_DECISION,
      inject: [WAKES, COMMANDS],
      useFactory: (wakes: DecisionWakes, commands: CommandClient) =>
        makeAwaitDecision({
          wakes,
          read: (reference) => commands.request(approvalServiceCommands.approval_status, reference),
        }),
    },
    {
      provide: SUBMIT_ACTION,
      inject: [PIPELINE, AWAIT_DECISION, WAKES],
      useFactory: (pipeline: SubmissionPipeline, awaitDecision: AwaitDecision, wakes: DecisionWakes) =>
        makeSubmitAction({ pipeline, awaitDecision, wakes }),
    },
    {
      provide: APPROVE_REQUEST,
      inject: [COMMANDS],
      useFactory: (commands: CommandClient) => makeApproveRequest({ commands }),
    },
  ],
  exports: [PIPELINE, AWAIT_DECISION, SUBMIT_ACTION, APPROVE_REQUEST],
})
export class SubmissionsModule implements OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
  private readonly answers: SubmissionAnswersSubscriber;
  private readonly wakeUps: WakeUpsSubscriber;
  private readonly endGauge: () => void;

  constructor(
    @Inject(PIPELINE) private readonly pipeline: SubmissionPipeline,
    @Inject(WAKES) private readonly wakes: DecisionWakes,
    @Inject(NATS) nc: NatsConnection,
    @Inject(CONFIG) { instance }: BaseConfig,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.answers = new SubmissionAnswersSubscriber(nc, instance, pipeline, logger);
    this.wakeUps = new WakeUpsSubscriber(nc, wakes);
    this.endGauge = observe('agentlattice.waiters', () => [{ value: wakes.waiters, labels: {} }]);
  }

  async onModuleInit(): Promise<void> {
    await this.answers.start();
    await this.wakeUps.start();
  }

  /** Before HTTP closes. Held answers are sent with the present state; otherwise closing would wait a minute for them. */
  onModuleDestroy(): void {
    this.wakeUps.stop();
    this.wakes.stop();
  }

  /** After the last answer, because submissions need these connections until then. */
  async onApplicationShutdown(): Promise<void> {
    this.endGauge();
    await this.answers.stop();
    this.pipeline.stop();
  }
}
