import { approvalServiceCommands, ping, type ServiceName } from '@agentlattice/contracts';
import { type Relay, startRelay } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  type BaseConfig,
  COMMANDS,
  CONFIG,
  HEALTH,
  type HealthRegistry,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  NotWell,
  POOL,
  ServiceModule,
} from '@agentlattice/service';
import {
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { type AwaitDecision, makeAwaitDecision } from './application/await-decision.js';
import { DecideApproval } from './application/decide-approval.js';
import { Invitations } from './application/invitations.js';
import { Principals } from './application/principals.js';
import { RefusedAccess } from './application/refused-access.js';
import { SubmitAction } from './application/submit-action.js';
import { Workspaces } from './application/workspaces.js';
import { type GatewayConfig, readGatewayConfig } from './config.js';
import { GatewayEventsResponder } from './inbound/gateway-events.responder.js';
import { ActReleaseInterceptor } from './inbound/http/act-release.interceptor.js';
import { ActionsController } from './inbound/http/actions.controller.js';
import { ApprovalsController } from './inbound/http/approvals.controller.js';
import { AuditController } from './inbound/http/audit.controller.js';
import { ChannelsController } from './inbound/http/channels.controller.js';
import { Admission } from './inbound/http/admission.js';
import { AnswerRelease } from './inbound/http/answer-release.js';
import { decisionRoutes } from './inbound/http/decision.routes.js';
import { KeyGuard } from './inbound/http/key-guard.js';
import { PoliciesController } from './inbound/http/policies.controller.js';
import { PrincipalsController } from './inbound/http/principals.controller.js';
import { ProblemFilter } from './inbound/http/problem-filter.js';
import { RateLimit } from './inbound/http/rate-limit.js';
import { ReportsController } from './inbound/http/reports.controller.js';
import { submissionRoutes } from './inbound/http/submission.routes.js';
import { SystemController } from './inbound/http/system.controller.js';
import { WorkspacesController } from './inbound/http/workspaces.controller.js';
import { approvalOf } from './inbound/http/approval-of.js';
import { type LiveEvents, makeLiveEvents } from './live-events.module.js';
import { DecisionWakes } from './outbound/decision-wakes.js';
import { InvitationStore } from './outbound/invitation-store.js';
import { PrincipalDirectory } from './outbound/principal-directory.js';
import { PrincipalStore } from './outbound/principal-store.js';
import { SubmissionPipeline } from './outbound/submission-pipeline.js';
import {
  ADMISSION,
  ANSWER_RELEASE,
  AWAIT_DECISION,
  DECIDE_APPROVAL,
  DIRECTORY,
  GATEWAY_CONFIG,
  INVITATIONS,
  LIVE_EVENTS,
  PIPELINE,
  PLAIN_ROUTES,
  PRINCIPALS,
  PROBLEMS,
  REFUSED_ACCESS,
  STORE,
  SUBMIT_ACTION,
  WAKES,
  WORKSPACES,
} from './tokens.js';

const others: readonly ServiceName[] = ['policy-engine', 'audit-ledger', 'approval-service', 'notifier'];

@Module({
  imports: [ServiceModule.forRoot('gateway')],
  controllers: [
    ActionsController,
    ApprovalsController,
    PoliciesController,
    PrincipalsController,
    AuditController,
    ChannelsController,
    ReportsController,
    SystemController,
    WorkspacesController,
    GatewayEventsResponder,
  ],
  providers: [
    { provide: GATEWAY_CONFIG, useFactory: () => readGatewayConfig(process.env) },
    {
      provide: DIRECTORY,
      inject: [POOL, LOGGER],
      useFactory: (pool: pg.Pool, logger: Logger) => new PrincipalDirectory(pool, logger),
    },
    {
      provide: PIPELINE,
      inject: [NATS, CONFIG, LOGGER],
      useFactory: (nc: NatsConnection, { instance }: BaseConfig, logger: Logger) =>
        new SubmissionPipeline(nc, instance, logger),
    },
    { provide: STORE, inject: [POOL], useFactory: (pool: pg.Pool) => new PrincipalStore(pool) },
    {
      provide: PRINCIPALS,
      inject: [STORE, DIRECTORY],
      useFactory: (store: PrincipalStore, directory: PrincipalDirectory) =>
        new Principals(store, () => directory.refresh()),
    },
    {
      provide: WORKSPACES,
      inject: [STORE, DIRECTORY],
      useFactory: (store: PrincipalStore, directory: PrincipalDirectory) =>
        new Workspaces(store, () => directory.refresh()),
    },
    {
      provide: INVITATIONS,
      inject: [STORE, POOL, DIRECTORY],
      useFactory: (store: PrincipalStore, pool: pg.Pool, directory: PrincipalDirectory) =>
        new Invitations(store, new InvitationStore(pool), () => directory.refresh()),
    },
    {
      provide: SUBMIT_ACTION,
      inject: [PIPELINE, AWAIT_DECISION, WAKES],
      useFactory: (pipeline: SubmissionPipeline, awaitDecision: AwaitDecision, wakes: DecisionWakes) =>
        new SubmitAction(pipeline, awaitDecision, wakes),
    },
    {
      provide: REFUSED_ACCESS,
      inject: [STORE, LOGGER],
      useFactory: (store: PrincipalStore, logger: Logger) => new RefusedAccess(store, logger),
    },
    { provide: WAKES, inject: [NATS], useFactory: (nc: NatsConnection) => new DecisionWakes(nc) },
    {
      provide: AWAIT_DECISION,
      inject: [WAKES, COMMANDS],
      useFactory: (wakes: DecisionWakes, commands: CommandClient) =>
        makeAwaitDecision({
          wakes,
          read: (asked) => commands.request(approvalServiceCommands.approval_status, asked),
        }),
    },
    {
      provide: DECIDE_APPROVAL,
      inject: [COMMANDS],
      useFactory: (commands: CommandClient) => new DecideApproval(commands),
    },
    {
      provide: ADMISSION,
      inject: [DIRECTORY, GATEWAY_CONFIG, COMMANDS, REFUSED_ACCESS],
      useFactory: (
        directory: PrincipalDirectory,
        { rateLimit }: GatewayConfig,
        commands: CommandClient,
        refused: RefusedAccess,
      ) =>
        new Admission(
          directory,
          new RateLimit(rateLimit),
          (principal, params) =>
            commands.request(
              approvalServiceCommands.approval_status,
              approvalOf(principal, params as { approval_id: string }),
            ),
          refused,
        ),
    },
    {
      provide: ANSWER_RELEASE,
      inject: [DIRECTORY, STORE],
      useFactory: (directory: PrincipalDirectory, store: PrincipalStore) =>
        new AnswerRelease(directory, (orgId, agentId) => store.standing(orgId, agentId)),
    },
    {
      provide: PLAIN_ROUTES,
      inject: [SUBMIT_ACTION, AWAIT_DECISION, DECIDE_APPROVAL, COMMANDS],
      useFactory: (
        submitAction: SubmitAction,
        awaitDecision: AwaitDecision,
        decide: DecideApproval,
        commands: CommandClient,
      ) => [...submissionRoutes(submitAction), ...decisionRoutes(awaitDecision, decide, commands)],
    },
    {
      provide: LIVE_EVENTS,
      inject: [NATS, DIRECTORY, LOGGER],
      useFactory: makeLiveEvents,
    },
    { provide: PROBLEMS, inject: [LOGGER], useFactory: (logger: Logger) => new ProblemFilter(logger) },
    {
      provide: APP_GUARD,
      inject: [ADMISSION],
      useFactory: (admission: Admission) => new KeyGuard(admission),
    },
    {
      provide: APP_INTERCEPTOR,
      inject: [ANSWER_RELEASE],
      useFactory: (answers: AnswerRelease) => new ActReleaseInterceptor(answers),
    },
    { provide: APP_FILTER, useExisting: PROBLEMS },
  ],
})
export class GatewayModule
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  private relay: Relay | undefined;

  constructor(
    @Inject(DIRECTORY) private readonly directory: PrincipalDirectory,
    @Inject(PIPELINE) private readonly pipeline: SubmissionPipeline,
    @Inject(WAKES) private readonly wakes: DecisionWakes,
    @Inject(REFUSED_ACCESS) private readonly refused: RefusedAccess,
    @Inject(LIVE_EVENTS) private readonly liveEvents: LiveEvents,
    @Inject(CONFIG) private readonly config: BaseConfig,
    @Inject(NATS) private readonly nc: NatsConnection,
    @Inject(COMMANDS) private readonly commands: CommandClient,
    @Inject(HEALTH) private readonly health: HealthRegistry,
    @Inject(LAGS) private readonly lags: LagRegistry,
    @Inject(POOL) private readonly pool: pg.Pool,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.directory.start();
    await this.pipeline.start();
    await this.wakes.start();
    this.health.add('keys', async () =>
      must(await this.directory.becomesFresh(), 'keys', 'the keys may be out of date'),
    );
    this.health.add(
      'ledger-heartbeat',
      async () =>
        must(await this.pipeline.ledgerAnswers(), 'ledger-heartbeat', 'the audit ledger does not answer'),
      'full',
    );
    for (const service of others) this.health.add(service, () => this.checkOther(service), 'full');
  }

  /** @throws NotWell with what the service itself names; what keeps it from answering comes first */
  private async checkOther(service: ServiceName): Promise<void> {
    const {
      ready,
      missing,
      troubles = [],
    } = await this.commands.request(ping(service), {}, { timeoutMs: 900 });
    const away = ready
      ? []
      : [{ name: service, reason: `the ${service} is not ready (${missing.join(', ')})` }];
    const faults = [...away, ...troubles.map((trouble) => ({ ...trouble, degraded: true }))];
    if (faults.length > 0) throw new NotWell(faults);
  }

  onApplicationBootstrap(): void {
    const { pool, nc, logger } = this;
    this.lags.addRelay('gateway', pool);
    this.relay = startRelay({ pool, databaseUrl: this.config.databaseUrl, nc, service: 'gateway', logger });
  }

  /** HTTP is still open. Held answers go out as they stand, or closing would wait a minute for them. */
  async onModuleDestroy(): Promise<void> {
    this.wakes.stop();
    await this.liveEvents.stop();
  }

  /** After the last answer: until then submissions need their way and keys. */
  async onApplicationShutdown(): Promise<void> {
    await this.refused.stop();
    await this.relay?.stop();
    await this.pipeline.stop();
    await this.directory.stop();
  }
}

function must(well: boolean, name: string, reason: string): void {
  if (!well) throw new NotWell([{ name, reason }]);
}
