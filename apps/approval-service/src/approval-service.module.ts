import { EventStore, type Projection, startProjection, startRelay } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { inSpan } from '@agentlattice/observability';
import {
  type BaseConfig,
  COMMANDS,
  CONFIG,
  type GrantSettings,
  type GrantSigner,
  grantSigner,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  RecoverySweep,
  POOL,
  readGrantSettings,
  PeriodicTask,
  ServiceModule,
  signingKey,
} from '@agentlattice/service';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { makeApplyJudgements } from './application/apply-judgements.js';
import { makeCancelSuspended } from './application/cancel-suspended.js';
import { makeConsumeGrant } from './application/consume-grant.js';
import { DecideApprovals } from './application/decide-approvals.js';
import { DeadlineSweep } from './application/deadline-sweep.js';
import { EscalationSweep } from './application/escalation-sweep.js';
import { lookForNearEveryMs, makeSetNearAlarms } from './application/near-alarms.js';
import { type EndUndecidable, makeEndUndecidable } from './application/end-undecidable.js';
import { makeOpenApprovals, type OpenApprovals } from './application/open-approvals.js';
import { makeOpenUnopened, noteRequestedActions } from './application/open-unopened.js';
import { makeRejudgePending } from './application/rejudge-pending.js';
import { makeTimeOutApprovals, type TimeOutApprovals } from './application/time-out-approvals.js';
import { UndecidableSweep } from './application/undecidable-sweep.js';
import { policyChangeTypes } from './domain/policy-change-note.js';
import { ApprovalsResponder } from './inbound/approvals.responder.js';
import { DecisionsResponder } from './inbound/decisions.responder.js';
import { OpenResponder } from './inbound/open.responder.js';
import { projectSuspension, suspensionTypes } from './outbound/agent-suspensions.js';
import { DeadlineAlarms } from './outbound/deadline-alarms.js';
import { LedgerIntake } from './outbound/ledger-intake.js';
import { memberEventTypes, Members, projectMember } from './outbound/members.js';
import { notePolicyChanges } from './outbound/policy-changes.js';
import { makeGrantOf } from './read/approval-grant.js';
import { ApprovalReader } from './read/approval-reader.js';
import {
  APPROVAL_READER,
  BACKGROUND,
  CONSUME_GRANT,
  DEADLINE_ALARMS,
  DEADLINE_SWEEP,
  DECIDE_APPROVALS,
  END_UNDECIDABLE,
  ESCALATION_SWEEP,
  EVENT_STORE,
  GRANT_SETTINGS,
  GRANTS,
  MEMBERS,
  MEMBERS_PROJECTION,
  OPEN_APPROVALS,
  REJUDGING,
  SUSPENSIONS,
  TIME_OUT_APPROVALS,
} from './tokens.js';

interface Stoppable {
  stop(): Promise<void>;
}

const sweepEveryMs = 1_000;
/**
 * While there is nothing to do; each commit of this process brings the usual pace back. Below what is promised after timers,
 * messages or a process were lost (15 s).
 */
const idleSweepMs = 8_000;
const graceMs = 2_000;
const askForRequestedMs = 2_000;
const idleAskForRequestedMs = 6_000;
/** The net under being told: another replica noted a change, or a request was opened beside one. */
const rejudgeEveryMs = 500;
const idleRejudgeMs = 4_000;
const lookForUndecidableEveryMs = 10_000;
/** Below what the gateway waits for an answer. */
const memberWithinMs = 1_000;

@Module({
  imports: [ServiceModule.forRoot('approval-service')],
  controllers: [OpenResponder, ApprovalsResponder, DecisionsResponder],
  providers: [
    { provide: EVENT_STORE, inject: [POOL], useFactory: (pool: pg.Pool) => new EventStore(pool) },
    { provide: GRANT_SETTINGS, useFactory: () => readGrantSettings(process.env) },
    {
      provide: GRANTS,
      inject: [CONFIG],
      useFactory: async ({ dataDir }: BaseConfig) =>
        grantSigner(await signingKey(dataDir, 'approval-service-grants')),
    },
    {
      provide: APPROVAL_READER,
      inject: [POOL, GRANTS, GRANT_SETTINGS],
      useFactory: (pool: pg.Pool, signer: GrantSigner, { issuer }: GrantSettings) =>
        new ApprovalReader(pool, makeGrantOf({ signer, issuer })),
    },
    {
      provide: MEMBERS_PROJECTION,
      inject: [POOL, NATS, COMMANDS, LOGGER],
      useFactory: (pool: pg.Pool, nc: NatsConnection, client: CommandClient, logger: Logger) =>
        startProjection({
          pool,
          nc,
          client,
          durable: 'approval-service-members',
          sources: ['gateway'],
          types: memberEventTypes,
          handle: projectMember,
          logger,
        }),
    },
    {
      provide: MEMBERS,
      inject: [POOL, MEMBERS_PROJECTION],
      useFactory: (pool: pg.Pool, projection: Projection) =>
        new Members({
          pool,
          heardWithin: (ms) => projection.caughtUpWithin('gateway', ms),
          withinMs: memberWithinMs,
        }),
    },
    {
      provide: DECIDE_APPROVALS,
      inject: [EVENT_STORE, NATS, APPROVAL_READER, MEMBERS, GRANT_SETTINGS],
      useFactory: (
        store: EventStore,
        nc: NatsConnection,
        reader: ApprovalReader,
        members: Members,
        { grantTtlSeconds }: GrantSettings,
      ) => new DecideApprovals({ store, members, reader, nc, grantTtlSeconds }),
    },
    {
      provide: CONSUME_GRANT,
      inject: [POOL, EVENT_STORE, GRANTS, COMMANDS],
      useFactory: (pool: pg.Pool, store: EventStore, grants: GrantSigner, commands: CommandClient) =>
        makeConsumeGrant({ pool, store, grants, commands }),
    },
    {
      provide: SUSPENSIONS,
      inject: [POOL, EVENT_STORE, NATS, COMMANDS, LOGGER],
      useFactory: suspensions,
    },
    {
      provide: TIME_OUT_APPROVALS,
      inject: [EVENT_STORE, NATS],
      useFactory: (store: EventStore, nc: NatsConnection) => makeTimeOutApprovals({ store, nc }),
    },
    {
      provide: DEADLINE_SWEEP,
      inject: [POOL, TIME_OUT_APPROVALS],
      useFactory: (pool: pg.Pool, timeOut: TimeOutApprovals) => new DeadlineSweep({ pool, timeOut }),
    },
    {
      provide: ESCALATION_SWEEP,
      inject: [POOL, EVENT_STORE],
      useFactory: (pool: pg.Pool, store: EventStore) => new EscalationSweep({ pool, store }),
    },
    {
      provide: DEADLINE_ALARMS,
      inject: [CONFIG, LOGGER, DEADLINE_SWEEP, ESCALATION_SWEEP],
      useFactory: deadlineAlarms,
    },
    {
      provide: OPEN_APPROVALS,
      inject: [POOL, DEADLINE_ALARMS, TIME_OUT_APPROVALS, END_UNDECIDABLE, LOGGER],
      useFactory: (
        pool: pg.Pool,
        alarms: DeadlineAlarms,
        timeOut: TimeOutApprovals,
        endUndecidable: EndUndecidable,
        logger: Logger,
      ) => makeOpenApprovals({ pool, alarms, timeOut, endUndecidable, logger }),
    },
    {
      provide: END_UNDECIDABLE,
      inject: [EVENT_STORE, NATS, MEMBERS],
      useFactory: (store: EventStore, nc: NatsConnection, members: Members) =>
        makeEndUndecidable({ store, nc, members }),
    },
    {
      provide: REJUDGING,
      inject: [POOL, EVENT_STORE, NATS, COMMANDS, LOGGER, GRANT_SETTINGS, END_UNDECIDABLE, LAGS],
      useFactory: rejudging,
    },
    {
      provide: BACKGROUND,
      inject: [
        CONFIG,
        POOL,
        NATS,
        COMMANDS,
        LOGGER,
        DEADLINE_ALARMS,
        DEADLINE_SWEEP,
        ESCALATION_SWEEP,
        OPEN_APPROVALS,
        LAGS,
      ],
      useFactory: background,
    },
  ],
})
export class ApprovalServiceModule implements OnApplicationShutdown {
  constructor(
    @Inject(BACKGROUND) private readonly working: readonly Stoppable[],
    @Inject(DEADLINE_ALARMS) private readonly alarms: DeadlineAlarms,
    @Inject(MEMBERS_PROJECTION) private readonly members: Projection,
    @Inject(REJUDGING) private readonly rejudging: readonly Stoppable[],
    @Inject(SUSPENSIONS) private readonly suspensions: readonly Stoppable[],
    @Inject(LAGS) lags: LagRegistry,
  ) {
    lags.addProjection(members);
  }

  /** After the last batch: until then events are relayed and alarms set. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(
      [...this.working, ...this.rejudging, ...this.suspensions, this.members, this.alarms].map((work) =>
        work.stop(),
      ),
    );
  }
}

function deadlineAlarms(
  { databaseUrl, redisUrl }: BaseConfig,
  logger: Logger,
  deadlines: DeadlineSweep,
  escalations: EscalationSweep,
): DeadlineAlarms {
  const alarms = new DeadlineAlarms({
    databaseUrl,
    redisUrl,
    logger,
    onDue: ({ kind, traceparent }) =>
      inSpan(`approval ${kind}`, { traceparent, kind: 'consumer' }, () =>
        (kind === 'deadline' ? deadlines : escalations).run(),
      ),
  });
  alarms.start();
  return alarms;
}

function rejudging(
  pool: pg.Pool,
  store: EventStore,
  nc: NatsConnection,
  commands: CommandClient,
  logger: Logger,
  { grantTtlSeconds }: GrantSettings,
  endUndecidable: EndUndecidable,
  lags: LagRegistry,
): readonly Stoppable[] {
  const sweep = new UndecidableSweep({ pool, endUndecidable });
  const lookAgain = new PeriodicTask(
    'looking for requests that nobody can decide',
    lookForUndecidableEveryMs,
    () => sweep.run(),
    logger,
  ).start();
  const work = new RecoverySweep({
    name: 'judging pending requests again',
    pool,
    everyMs: rejudgeEveryMs,
    idleMs: idleRejudgeMs,
    work: makeRejudgePending({
      pool,
      apply: makeApplyJudgements({ pool, store, grantTtlSeconds, logger }),
      nc,
      commands,
      onGovernedAnew: (requests) => {
        if (requests.length === 0) return;
        sweep.note(requests);
        lookAgain.wake();
      },
      logger,
    }),
    logger,
  }).start();
  const changes = startProjection({
    pool,
    nc,
    client: commands,
    durable: 'approval-service-policies',
    sources: ['policy-engine'],
    types: policyChangeTypes,
    handleAll: notePolicyChanges,
    onApplied: () => work.wake(),
    logger,
  });
  lags.addProjection(changes);
  return [changes, work, lookAgain];
}

function suspensions(
  pool: pg.Pool,
  store: EventStore,
  nc: NatsConnection,
  commands: CommandClient,
  logger: Logger,
): readonly Stoppable[] {
  const work = new RecoverySweep({
    name: 'cancelling requests of suspended agents',
    pool,
    everyMs: sweepEveryMs,
    idleMs: idleSweepMs,
    work: makeCancelSuspended({ pool, store, nc, commands, logger }),
    logger,
  }).start();
  const heard = startProjection({
    pool,
    nc,
    client: commands,
    durable: 'approval-service-agents',
    sources: ['gateway'],
    types: suspensionTypes,
    handle: projectSuspension,
    onApplied: () => work.wake(),
    logger,
  });
  return [heard, work];
}

function background(
  { databaseUrl }: BaseConfig,
  pool: pg.Pool,
  nc: NatsConnection,
  commands: CommandClient,
  logger: Logger,
  alarms: DeadlineAlarms,
  deadlines: DeadlineSweep,
  escalations: EscalationSweep,
  open: OpenApprovals,
  lags: LagRegistry,
): readonly Stoppable[] {
  const sweep = (name: string, work: () => Promise<boolean>) =>
    new RecoverySweep({ name, pool, everyMs: sweepEveryMs, idleMs: idleSweepMs, work, logger }).start();
  const opening = sweep(
    'opening recorded requests',
    makeOpenUnopened({ pool, commands, open, logger, graceMs }),
  );
  lags.addRelay('approval-service', pool);
  // A request that its batch did not open is rare: the ledger is asked for such, and sends nothing by itself.
  const requested = startProjection({
    pool,
    nc,
    client: commands,
    durable: 'approval-service-requested',
    sources: ['audit-ledger'],
    types: ['action.requested'],
    handleAll: noteRequestedActions,
    onlyAsks: true,
    checkEveryMs: askForRequestedMs,
    idleEveryMs: idleAskForRequestedMs,
    onApplied: () => opening.hasten(),
    logger,
  });
  lags.addProjection(requested);
  return [
    startRelay({ pool, databaseUrl, nc, service: 'approval-service', logger }),
    new LedgerIntake({ pool, commands, logger }).start(),
    requested,
    sweep('the sweep of deadlines', () => deadlines.run()),
    sweep('the sweep of escalations', () => escalations.run()),
    new PeriodicTask(
      'setting alarms',
      lookForNearEveryMs,
      makeSetNearAlarms({ pool, alarms }),
      logger,
    ).start(),
    opening,
  ];
}
