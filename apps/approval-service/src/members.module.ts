import type { EventStore, Projection } from '@agentlattice/event-store';
import { Background, NATS, POOL } from '@agentlattice/service';
import { Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { makeEndUndecidable } from './application/end-undecidable.js';
import { EventsModule } from './events.module.js';
import { startMembersProjection } from './inbound/projections.js';
import { Members } from './outbound/members.js';
import {
  END_UNDECIDABLE,
  EVENT_STORE,
  MEMBERS,
  MEMBERS_BACKGROUND,
  MEMBERS_PROJECTION,
  PROJECTIONS,
} from './tokens.js';

/** Shorter than the gateway waits for an answer. */
const memberWithinMs = 1_000;

/** The members who may decide, and the end of requests that no member can decide. */
@Module({
  imports: [EventsModule],
  providers: [
    { provide: MEMBERS_PROJECTION, inject: [PROJECTIONS], useFactory: startMembersProjection },
    {
      provide: MEMBERS_BACKGROUND,
      inject: [MEMBERS_PROJECTION],
      useFactory: (projection: Projection) => new Background(() => [projection]),
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
