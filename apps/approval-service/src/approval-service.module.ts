import { EventStore, startProjection, startRelay } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { inSpan } from '@agentlattice/observability';
import { type BaseConfig, COMMANDS, CONFIG, LOGGER, NATS, POOL, ServiceModule } from '@agentlattice/service';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { DeadlineSweep } from './application/deadline-sweep.js';
import { lookForNearEveryMs, makeSetNearAlarms } from './application/near-alarms.js';
import { makeOpenApprovals, type OpenApprovals } from './application/open-approvals.js';
import { makeOpenUnopened, noteRequestedAction } from './application/open-unopened.js';
import { makeTimeOutApprovals, type TimeOutApprovals } from './application/time-out-approvals.js';
import { ApprovalsResponder } from './inbound/approvals.responder.js';
import { OpenResponder } from './inbound/open.responder.js';
import { RegularWork } from './inbound/regular-work.js';
import { DeadlineAlarms } from './outbound/deadline-alarms.js';
import { ApprovalReader } from './read/approval-reader.js';
import {
  APPROVAL_READER,
  BACKGROUND,
  DEADLINE_ALARMS,
  DEADLINE_SWEEP,
  EVENT_STORE,
  OPEN_APPROVALS,
  TIME_OUT_APPROVALS,
} from './tokens.js';

interface Stoppable {
  stop(): Promise<void>;
}

const sweepEveryMs = 1_000;
const graceMs = 2_000;

@Module({
  imports: [ServiceModule.forRoot('approval-service')],
  controllers: [OpenResponder, ApprovalsResponder],
  providers: [
    { provide: EVENT_STORE, inject: [POOL], useFactory: (pool: pg.Pool) => new EventStore(pool) },
    {
      provide: APPROVAL_READER,
      inject: [POOL],
      useFactory: (pool: pg.Pool) => new ApprovalReader(pool, () => null),
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
      provide: DEADLINE_ALARMS,
      inject: [CONFIG, LOGGER, DEADLINE_SWEEP],
      useFactory: deadlineAlarms,
    },
    {
      provide: OPEN_APPROVALS,
      inject: [POOL, DEADLINE_ALARMS, TIME_OUT_APPROVALS, LOGGER],
      useFactory: (pool: pg.Pool, alarms: DeadlineAlarms, timeOut: TimeOutApprovals, logger: Logger) =>
        makeOpenApprovals({ pool, alarms, timeOut, logger }),
    },
    {
      provide: BACKGROUND,
      inject: [CONFIG, POOL, NATS, COMMANDS, LOGGER, DEADLINE_ALARMS, DEADLINE_SWEEP, OPEN_APPROVALS],
      useFactory: background,
    },
  ],
})
export class ApprovalServiceModule implements OnApplicationShutdown {
  constructor(
    @Inject(BACKGROUND) private readonly working: readonly Stoppable[],
    @Inject(DEADLINE_ALARMS) private readonly alarms: DeadlineAlarms,
  ) {}

  /** After the last batch: until then events are relayed and alarms set. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.working, this.alarms].map((work) => work.stop()));
  }
}

function deadlineAlarms(
  { databaseUrl, redisUrl }: BaseConfig,
  logger: Logger,
  sweep: DeadlineSweep,
): DeadlineAlarms {
  const alarms = new DeadlineAlarms({
    databaseUrl,
    redisUrl,
    logger,
    onDue: (due) =>
      inSpan('approval deadline', { traceparent: due.traceparent, kind: 'consumer' }, () => sweep.run()),
  });
  alarms.start();
  return alarms;
}

function background(
  { databaseUrl }: BaseConfig,
  pool: pg.Pool,
  nc: NatsConnection,
  commands: CommandClient,
  logger: Logger,
  alarms: DeadlineAlarms,
  sweep: DeadlineSweep,
  open: OpenApprovals,
): readonly Stoppable[] {
  const openUnopened = makeOpenUnopened({ pool, commands, open, logger, graceMs });
  return [
    startRelay({ databaseUrl, nc, service: 'approval-service', logger }),
    startProjection({
      pool,
      nc,
      client: commands,
      durable: 'approval-service-requested',
      sources: ['audit-ledger'],
      types: ['action.requested'],
      handle: noteRequestedAction,
      logger,
    }),
    new RegularWork('the sweep of deadlines', sweepEveryMs, () => sweep.run(), logger).start(),
    new RegularWork(
      'setting alarms',
      lookForNearEveryMs,
      makeSetNearAlarms({ pool, alarms }),
      logger,
    ).start(),
    new RegularWork('opening recorded requests', sweepEveryMs, openUnopened, logger).start(),
  ];
}
