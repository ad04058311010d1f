import { POOL } from '@agentlattice/service';
import type { Provider } from '@nestjs/common';
import type pg from 'pg';
import type { Members } from './outbound/members.js';
import { ApprovalLists } from './read/approval-lists.js';
import { makeReadDenialReasons } from './read/denial-reasons.js';
import { makeReadForeverReach } from './read/forever-reach.js';
import { OpenQueues } from './read/open-queues.js';
import { OpenStates } from './read/open-states.js';
import { makeReadOverview } from './read/overview.js';
import { RequestViews } from './read/request-views.js';
import { DENIAL_REASONS, FOREVER_REACH, MEMBERS, OPEN_STATES, OVERVIEW, REQUEST_VIEWS } from './tokens.js';

/** Requests as people read them, and figures about them. */
export const readProviders: Provider[] = [
  { provide: OPEN_STATES, inject: [POOL], useFactory: (pool: pg.Pool) => new OpenStates(pool) },
  {
    provide: REQUEST_VIEWS,
    inject: [POOL, MEMBERS, OPEN_STATES],
    useFactory: (pool: pg.Pool, members: Members, states: OpenStates) =>
      new RequestViews({ pool, members, lists: new ApprovalLists(pool, new OpenQueues(pool, states)) }),
  },
  {
    provide: FOREVER_REACH,
    inject: [POOL, MEMBERS, OPEN_STATES],
    useFactory: (pool: pg.Pool, members: Members, states: OpenStates) =>
      makeReadForeverReach({ pool, members, states }),
  },
  { provide: DENIAL_REASONS, inject: [POOL], useFactory: makeReadDenialReasons },
  { provide: OVERVIEW, inject: [POOL], useFactory: makeReadOverview },
];
