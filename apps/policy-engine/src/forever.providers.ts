import { EventStore, type Projection } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import { COMMANDS, LOGGER, NATS, POOL, RecoverySweep } from '@agentlattice/service';
import type { Provider } from '@nestjs/common';
import type pg from 'pg';
import { AllowForever } from './application/allow-forever.js';
import { startForeverEvents, startMemberEvents } from './inbound/forever-events.js';
import { ForeverRequests } from './outbound/forever-requests.js';
import type { LivePolicies } from './read/live-policies.js';
import { ALLOW_FOREVER, FOREVER_EVENTS, FOREVER_WORK, LIVE_POLICIES, MEMBER_EVENTS } from './tokens.js';

/** How often it is looked for what was approved for ever and nobody asked for. */
const lookForForeverMs = 1_000;
/** Together with the longest pause between two questions for events (8 s) below what is promised (15 s). */
const idleLookForForeverMs = 4_000;

/** Approving for ever: the command, and the sweep that finds approvals for which no command came. */
export const foreverProviders: Provider[] = [
  { provide: MEMBER_EVENTS, inject: [POOL, NATS, COMMANDS, LOGGER], useFactory: startMemberEvents },
  { provide: FOREVER_EVENTS, inject: [POOL, NATS, COMMANDS, LOGGER], useFactory: startForeverEvents },
  {
    provide: ALLOW_FOREVER,
    inject: [POOL, LIVE_POLICIES, MEMBER_EVENTS, LOGGER],
    useFactory: (pool: pg.Pool, policies: LivePolicies, members: Projection, logger: Logger) =>
      new AllowForever({
        pool,
        store: new EventStore(pool),
        requests: new ForeverRequests(pool),
        membersCaughtUp: () => members.catchUp('gateway'),
        caughtUp: () => policies.caughtUp(),
        logger,
      }),
  },
  {
    provide: FOREVER_WORK,
    inject: [POOL, ALLOW_FOREVER, LOGGER],
    useFactory: (pool: pg.Pool, forever: AllowForever, logger: Logger) =>
      new RecoverySweep({
        name: 'approving for ever',
        pool,
        everyMs: lookForForeverMs,
        idleMs: idleLookForForeverMs,
        work: () => forever.allowNoted(),
        logger,
      }).start(),
  },
];
