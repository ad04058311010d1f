import { EventStore, type Projection } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  Background,
  COMMANDS,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  POOL,
  RecoverySweep,
} from '@agentlattice/service';
import type { Provider } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { makeAllowForever } from './application/allow-forever.js';
import { makeAllowUnsettledForever } from './application/allow-unsettled-forever.js';
import { type ApplyForever, makeApplyForever } from './application/apply-forever.js';
import { type IsAdministrator, makeIsAdministrator } from './application/is-administrator.js';
import { makePlanForever } from './application/plan-forever.js';
import { startForeverEvents, startMemberEvents } from './inbound/forever-events.js';
import { ForeverRequests } from './outbound/forever-requests.js';
import type { LivePolicies } from './read/live-policies.js';
import {
  ALLOW_FOREVER,
  APPLY_FOREVER,
  FOREVER_BACKGROUND,
  FOREVER_REQUESTS,
  IS_ADMINISTRATOR,
  LIVE_POLICIES,
  MEMBER_EVENTS,
  PLAN_FOREVER,
} from './tokens.js';

const unsettledSweepMs = 1_000;
/** With the longest pause between two questions for events (8 s) this stays below the promised 15 s. */
const idleUnsettledSweepMs = 4_000;

/** Approving for ever: the command, and the sweep that finds approvals for which no command came. */
export const foreverProviders: Provider[] = [
  { provide: MEMBER_EVENTS, inject: [POOL, NATS, COMMANDS, LOGGER], useFactory: startMemberEvents },
  { provide: FOREVER_REQUESTS, inject: [POOL], useFactory: (pool: pg.Pool) => new ForeverRequests(pool) },
  {
    provide: IS_ADMINISTRATOR,
    inject: [FOREVER_REQUESTS, MEMBER_EVENTS],
    useFactory: (requests: ForeverRequests, members: Projection) =>
      makeIsAdministrator({ requests, membersCaughtUp: () => members.catchUp('gateway') }),
  },
  {
    provide: APPLY_FOREVER,
    inject: [POOL, FOREVER_REQUESTS, LIVE_POLICIES],
    useFactory: (pool: pg.Pool, requests: ForeverRequests, policies: LivePolicies) =>
      makeApplyForever({ pool, store: new EventStore(pool), requests, caughtUp: () => policies.caughtUp() }),
  },
  {
    provide: ALLOW_FOREVER,
    inject: [IS_ADMINISTRATOR, APPLY_FOREVER],
    useFactory: (isAdministrator: IsAdministrator, apply: ApplyForever) =>
      makeAllowForever({ isAdministrator, apply }),
  },
  { provide: PLAN_FOREVER, inject: [POOL], useFactory: (pool: pg.Pool) => makePlanForever({ pool }) },
  {
    provide: FOREVER_BACKGROUND,
    inject: [
      POOL,
      NATS,
      COMMANDS,
      LAGS,
      LOGGER,
      MEMBER_EVENTS,
      FOREVER_REQUESTS,
      IS_ADMINISTRATOR,
      APPLY_FOREVER,
    ],
    useFactory: foreverBackground,
  },
];

function foreverBackground(
  pool: pg.Pool,
  nc: NatsConnection,
  commands: CommandClient,
  lags: LagRegistry,
  logger: Logger,
  memberEvents: Projection,
  requests: ForeverRequests,
  isAdministrator: IsAdministrator,
  apply: ApplyForever,
): Background {
  return new Background(() => {
    const foreverEvents = startForeverEvents(pool, nc, commands, logger);
    lags.addProjection(memberEvents);
    lags.addProjection(foreverEvents);
    const sweep = new RecoverySweep({
      name: 'applying approvals for ever',
      pool,
      everyMs: unsettledSweepMs,
      idleMs: idleUnsettledSweepMs,
      work: makeAllowUnsettledForever({ requests, isAdministrator, apply, logger }),
      logger,
    }).start();
    return [memberEvents, foreverEvents, sweep];
  });
}
