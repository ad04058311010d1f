import type { EventStore } from '@agentlattice/event-store';
import { inSpan, type Logger } from '@agentlattice/observability';
import {
  Background,
  type BaseConfig,
  CONFIG,
  LOGGER,
  NATS,
  PeriodicTask,
  POOL,
  RecoverySweep,
} from '@agentlattice/service';
import { Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { DueSweep } from './application/due-sweep.js';
import { makeEscalateApprovals } from './application/escalate-approvals.js';
import { nearAlarmsEveryMs, makeSetNearAlarms } from './application/near-alarms.js';
import { makeTimeOutApprovals, type TimeOutApprovals } from './application/time-out-approvals.js';
import { EventsModule } from './events.module.js';
import { DeadlineAlarms } from './outbound/deadline-alarms.js';
import { makeFindDueDeadlines, makeFindDueEscalations } from './outbound/due-requests.js';
import { refuseEvictingRedis } from './outbound/redis-eviction.js';
import { sweepPace } from './sweep-pace.js';
import {
  DEADLINE_ALARMS,
  DEADLINE_SWEEP,
  ESCALATION_SWEEP,
  EVENT_STORE,
  TIME_OUT_APPROVALS,
  TIMERS_BACKGROUND,
} from './tokens.js';

/** Deadlines and escalations: timers, and the sweeps that find due requests without a timer. */
@Module({
  imports: [EventsModule],
  providers: [
    {
      provide: TIME_OUT_APPROVALS,
      inject: [EVENT_STORE, NATS, LOGGER],
      useFactory: (store: EventStore, nc: NatsConnection, logger: Logger) =>
        makeTimeOutApprovals({ store, nc, logger }),
    },
    {
      provide: DEADLINE_SWEEP,
      inject: [POOL, TIME_OUT_APPROVALS],
      useFactory: (pool: pg.Pool, timeOut: TimeOutApprovals) =>
        new DueSweep({ find: makeFindDueDeadlines({ pool }), handle: timeOut }),
    },
    {
      provide: ESCALATION_SWEEP,
      inject: [POOL, EVENT_STORE, LOGGER],
      useFactory: (pool: pg.Pool, store: EventStore, logger: Logger) =>
        new DueSweep({
          find: makeFindDueEscalations({ pool }),
          handle: makeEscalateApprovals({ pool, store, logger }),
        }),
    },
    {
      provide: DEADLINE_ALARMS,
      inject: [CONFIG, LOGGER, DEADLINE_SWEEP, ESCALATION_SWEEP],
      useFactory: async (
        { databaseUrl, redisUrl }: BaseConfig,
        logger: Logger,
        deadlines: DueSweep,
        escalations: DueSweep,
      ) => {
        if (redisUrl !== undefined) await refuseEvictingRedis(redisUrl, logger);
        return new DeadlineAlarms({
          databaseUrl,
          redisUrl,
          logger,
          onDue: ({ kind, traceparent }) =>
            inSpan(`approval ${kind}`, { traceparent, kind: 'consumer' }, () =>
              (kind === 'deadline' ? deadlines : escalations).run(),
            ),
        });
      },
    },
    {
      provide: TIMERS_BACKGROUND,
      inject: [POOL, LOGGER, DEADLINE_ALARMS, DEADLINE_SWEEP, ESCALATION_SWEEP],
      useFactory: timersBackground,
    },
  ],
  exports: [TIME_OUT_APPROVALS, DEADLINE_ALARMS],
})
export class TimersModule {}

function timersBackground(
  pool: pg.Pool,
  logger: Logger,
  alarms: DeadlineAlarms,
  deadlines: DueSweep,
  escalations: DueSweep,
): Background {
  const sweep = (name: string, { run }: { run: () => Promise<boolean> }) =>
    new RecoverySweep({ name, pool, ...sweepPace, work: run, logger }).start();
  return new Background(() => {
    alarms.start();
    return [
      alarms,
      sweep('the sweep of deadlines', { run: () => deadlines.run() }),
      sweep('the sweep of escalations', { run: () => escalations.run() }),
      new PeriodicTask(
        'setting alarms',
        nearAlarmsEveryMs,
        makeSetNearAlarms({ pool, alarms }),
        logger,
      ).start(),
    ];
  });
}
