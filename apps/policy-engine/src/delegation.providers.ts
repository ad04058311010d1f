import { EventStore } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import { Background, LOGGER, POOL, RecoverySweep } from '@agentlattice/service';
import type { Provider } from '@nestjs/common';
import type pg from 'pg';
import { makeCreateDelegation } from './application/create-delegation.js';
import { makeDelegationStanding } from './application/delegation-standing.js';
import { makeExpireDelegations } from './application/expire-delegations.js';
import { makeRevokeDelegation } from './application/revoke-delegation.js';
import { DelegationReader } from './read/delegation-reader.js';
import type { LivePolicies } from './read/live-policies.js';
import {
  CREATE_DELEGATION,
  DELEGATION_READER,
  DELEGATION_STANDING,
  DELEGATIONS_BACKGROUND,
  LIVE_POLICIES,
  REVOKE_DELEGATION,
} from './tokens.js';

const expiryMs = 1_000;
const idleExpiryMs = 8_000;

/** Delegations: their commands, and the sweep that records those that are over. */
export const delegationProviders: Provider[] = [
  { provide: DELEGATION_READER, inject: [POOL], useFactory: (pool: pg.Pool) => new DelegationReader(pool) },
  {
    provide: CREATE_DELEGATION,
    inject: [POOL, DELEGATION_READER, LIVE_POLICIES],
    useFactory: (pool: pg.Pool, reader: DelegationReader, policies: LivePolicies) =>
      makeCreateDelegation({
        pool,
        store: new EventStore(pool),
        reader,
        caughtUp: () => policies.caughtUp(),
      }),
  },
  {
    provide: REVOKE_DELEGATION,
    inject: [POOL, LIVE_POLICIES],
    useFactory: (pool: pg.Pool, policies: LivePolicies) =>
      makeRevokeDelegation({ pool, store: new EventStore(pool), caughtUp: () => policies.caughtUp() }),
  },
  { provide: DELEGATION_STANDING, inject: [LIVE_POLICIES], useFactory: makeDelegationStanding },
  {
    provide: DELEGATIONS_BACKGROUND,
    inject: [POOL, LOGGER],
    useFactory: (pool: pg.Pool, logger: Logger) =>
      new Background(() => [
        new RecoverySweep({
          name: 'recording delegations that are over',
          pool,
          everyMs: expiryMs,
          idleMs: idleExpiryMs,
          work: makeExpireDelegations({ pool, store: new EventStore(pool) }),
          logger,
        }).start(),
      ]),
  },
];
