import type { EventStore } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  Background,
  type BaseConfig,
  COMMANDS,
  CONFIG,
  type GrantSettings,
  type GrantSigner,
  grantSigner,
  LOGGER,
  NATS,
  POOL,
  RecoverySweep,
  signingKeys,
} from '@agentlattice/service';
import { Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { makeCancelSuspended } from './application/cancel-suspended.js';
import { makeConsumeGrant } from './application/consume-grant.js';
import { DecideApprovals } from './application/decide-approvals.js';
import type { EndUndecidable } from './application/end-undecidable.js';
import { makeOpenApprovals, type OpenApprovals } from './application/open-approvals.js';
import { makeOpenUnopened } from './application/open-unopened.js';
import type { TimeOutApprovals } from './application/time-out-approvals.js';
import { EventsModule } from './events.module.js';
import { ApprovalsResponder } from './inbound/approvals.responder.js';
import { DecisionsResponder } from './inbound/decisions.responder.js';
import { OpenResponder } from './inbound/open.responder.js';
import {
  type ProjectionPorts,
  startRequestedActionsProjection,
  startSuspensionsProjection,
} from './inbound/projections.js';
import { MembersModule } from './members.module.js';
import type { DeadlineAlarms } from './outbound/deadline-alarms.js';
import type { Members } from './outbound/members.js';
import { makeGrantOf } from './read/approval-grant.js';
import { ApprovalReader } from './read/approval-reader.js';
import type { RequestViews } from './read/request-views.js';
import { readProviders } from './read.providers.js';
import { sweepPace } from './sweep-pace.js';
import { TimersModule } from './timers.module.js';
import {
  APPROVAL_READER,
  CONSUME_GRANT,
  DEADLINE_ALARMS,
  DECIDE_APPROVALS,
  END_UNDECIDABLE,
  EVENT_STORE,
  GRANT_SETTINGS,
  GRANTS,
  MEMBERS,
  OPEN_APPROVALS,
  OPENING_BACKGROUND,
  PROJECTIONS,
  REQUEST_VIEWS,
  SUSPENSIONS_BACKGROUND,
  TIME_OUT_APPROVALS,
} from './tokens.js';

const graceMs = 2_000;

/** Requests: opening, reading, deciding and cancelling them, and using their grants. */
@Module({
  imports: [EventsModule, MembersModule, TimersModule],
  controllers: [OpenResponder, ApprovalsResponder, DecisionsResponder],
  providers: [
    {
      provide: GRANTS,
      inject: [CONFIG],
      useFactory: async ({ keys }: BaseConfig) =>
        grantSigner(await signingKeys(keys, 'approval-service-grants')),
    },
    {
      provide: APPROVAL_READER,
      inject: [POOL, GRANTS, GRANT_SETTINGS],
      useFactory: (pool: pg.Pool, signer: GrantSigner, { issuer }: GrantSettings) =>
        new ApprovalReader(pool, makeGrantOf({ signer, issuer })),
    },
    ...readProviders,
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
      provide: DECIDE_APPROVALS,
      inject: [EVENT_STORE, NATS, APPROVAL_READER, REQUEST_VIEWS, MEMBERS, GRANT_SETTINGS],
      useFactory: (
        store: EventStore,
        nc: NatsConnection,
        reader: ApprovalReader,
        views: RequestViews,
        members: Members,
        { grantTtlSeconds }: GrantSettings,
      ) => new DecideApprovals({ store, members, reader, views, nc, grantTtlSeconds }),
    },
    {
      provide: CONSUME_GRANT,
      inject: [POOL, EVENT_STORE, GRANTS, COMMANDS],
      useFactory: (pool: pg.Pool, store: EventStore, grants: GrantSigner, commands: CommandClient) =>
        makeConsumeGrant({ pool, store, grants, commands }),
    },
    {
      provide: OPENING_BACKGROUND,
      inject: [PROJECTIONS, OPEN_APPROVALS],
      useFactory: openingBackground,
    },
    {
      provide: SUSPENSIONS_BACKGROUND,
      inject: [PROJECTIONS, EVENT_STORE],
      useFactory: suspensionsBackground,
    },
  ],
})
export class ApprovalsModule {}

/** Opens recorded requests that their batch did not open. */
function openingBackground(projections: ProjectionPorts, open: OpenApprovals): Background {
  const { pool, commands, logger } = projections;
  return new Background(() => {
    const opening = new RecoverySweep({
      name: 'opening recorded requests',
      pool,
      ...sweepPace,
      work: makeOpenUnopened({ pool, commands, open, logger, graceMs }),
      logger,
    }).start();
    return [opening, startRequestedActionsProjection(projections, () => opening.hasten())];
  });
}

function suspensionsBackground(projections: ProjectionPorts, store: EventStore): Background {
  const { pool, nc, commands, logger } = projections;
  return new Background(() => {
    const cancelling = new RecoverySweep({
      name: 'cancelling requests of suspended agents',
      pool,
      ...sweepPace,
      work: makeCancelSuspended({ pool, store, nc, commands, logger }),
      logger,
    }).start();
    return [cancelling, startSuspensionsProjection(projections, () => cancelling.wake())];
  });
}
