import { EventStore } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { COMMANDS, LOGGER, PeriodicTask, POOL, RecoverySweep } from '@agentlattice/service';
import type { Provider } from '@nestjs/common';
import type pg from 'pg';
import { CompareWithLedger } from './application/compare-with-ledger.js';
import { NoteTampering } from './application/note-tampering.js';
import type { LivePolicies } from './read/live-policies.js';
import { openTamperings } from './read/open-tamperings.js';
import { LIVE_POLICIES, NOTE_TAMPERING, TAMPERING_WORK } from './tokens.js';

/** How often it is looked whether a comparison is due, and whether something was found. */
const compareMs = 1_000;
const idleCompareMs = 5_000;
const noteMs = 500;
/** A finding ends the pause at once; this is for findings that could not be written. */
const idleNoteMs = 8_000;

/** Policies are compared with the log, and what does not agree is written as an event. */
export const tamperingProviders: Provider[] = [
  {
    provide: NOTE_TAMPERING,
    inject: [POOL],
    useFactory: (pool: pg.Pool) =>
      new NoteTampering((orgId) => openTamperings(pool, orgId), new EventStore(pool)),
  },
  {
    provide: TAMPERING_WORK,
    inject: [POOL, COMMANDS, LIVE_POLICIES, NOTE_TAMPERING, LOGGER],
    useFactory: (
      pool: pg.Pool,
      client: CommandClient,
      policies: LivePolicies,
      notes: NoteTampering,
      logger: Logger,
    ) => {
      const comparison = new CompareWithLedger(client, policies);
      const noting = new PeriodicTask(
        'noting tampering',
        noteMs,
        () => notes.writeNoted(),
        logger,
        idleNoteMs,
      );
      notes.onNoted(() => noting.hasten());
      return [
        new RecoverySweep({
          name: 'comparing policies with the log',
          pool,
          everyMs: compareMs,
          idleMs: idleCompareMs,
          work: () => comparison.compareIfDue(),
          logger,
        }),
        noting,
      ].map((work) => work.start());
    },
  },
];
