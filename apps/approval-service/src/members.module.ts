import type { EventStore, Projection } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import { Background, LOGGER, NATS, POOL, RecoverySweep } from '@agentlattice/service';
import { Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { makeEndUndecidable } from './application/end-undecidable.js';
import { EventsModule } from './events.module.js';
import { makeRecountVotes } from './application/recount-votes.js';
import { type ProjectionPorts, startMembersProjection } from './inbound/projections.js';
import { Members } from './outbound/members.js';
import { sweepPace } from './sweep-pace.js';
import {
  END_UNDECIDABLE,
  EVENT_STORE,
  MEMBERS,
  MEMBERS_BACKGROUND,
  MEMBERS_PROJECTION,
  PROJECTIONS,
  RECOUNT_VOTES,
} from './tokens.js';

/** Shorter than the gateway waits for an answer. */
const memberWithinMs = 1_000;

/** The members who may decide, and the end of requests that no member can decide. */
@Module({
  imports: [EventsModule],
  providers: [
    {
      provide: RECOUNT_VOTES,
      inject: [POOL, EVENT_STORE, NATS, LOGGER],
      useFactory: (pool: pg.Pool, store: EventStore, nc: NatsConnection, logger: Logger) =>
        new RecoverySweep({
          name: 'withdrawing votes of changed members',
          pool,
          ...sweepPace,
          work: makeRecountVotes({ pool, store, nc, logger }),
          logger,
        }).start(),
    },
    {
      provide: MEMBERS_PROJECTION,
      inject: [PROJECTIONS, RECOUNT_VOTES],
      useFactory: (ports: ProjectionPorts, recount: RecoverySweep) =>
        startMembersProjection(ports, () => recount.wake()),
    },
    {
      provide: MEMBERS_BACKGROUND,
      inject: [MEMBERS_PROJECTION, RECOUNT_VOTES],
      useFactory: (projection: Projection, recount: RecoverySweep) =>
        new Background(() => [projection, recount]),
    },
    {
      provide: MEMBERS,
      inject: [POOL, MEMBERS_PROJECTION],
      useFactory: (pool: pg.Pool, projection: Projection) =>
        new Members({
          pool,
          caughtUpWithin: (ms) => projection.caughtUpWithin('gateway', ms),
          withinMs: memberWithinMs,
        }),
    },
    {
      provide: END_UNDECIDABLE,
      inject: [EVENT_STORE, NATS, MEMBERS],
      useFactory: (store: EventStore, nc: NatsConnection, members: Members) =>
        makeEndUndecidable({ store, nc, members }),
    },
  ],
  exports: [MEMBERS, END_UNDECIDABLE],
})
export class MembersModule {}
