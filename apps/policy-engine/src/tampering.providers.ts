import { EventStore } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { Background, COMMANDS, LOGGER, PeriodicTask, POOL, RecoverySweep } from '@agentlattice/service';
import type { Provider } from '@nestjs/common';
import type pg from 'pg';
import { CompareWithLedger } from './application/compare-with-ledger.js';
import { TamperingFindings } from './application/tampering-findings.js';
import { makeWriteTampering } from './application/write-tampering.js';
import type { LivePolicies } from './read/live-policies.js';
import { openTamperings } from './read/open-tamperings.js';
import { LIVE_POLICIES, TAMPERING_BACKGROUND, TAMPERING_FINDINGS } from './tokens.js';

/** How often the sweep checks whether a comparison is due. */
const compareMs = 1_000;
const idleCompareMs = 5_000;
const writeMs = 500;
/** A finding ends the pause at once; the longest pause is for findings that could not be written. */
const idleWriteMs = 8_000;

/** Policies are compared with the log, and every difference is written as an event. */
export const tamperingProviders: Provider[] = [
  { provide: TAMPERING_FINDINGS, useFactory: () => new TamperingFindings() },
  {
    provide: TAMPERING_BACKGROUND,
    inject: [POOL, COMMANDS, LIVE_POLICIES, TAMPERING_FINDINGS, LOGGER],
    useFactory: tamperingBackground,
  },
];

function tamperingBackground(
  pool: pg.Pool,
  client: CommandClient,
  policies: LivePolicies,
  findings: TamperingFindings,
  logger: Logger,
): Background {
  const comparison = new CompareWithLedger(client, policies);
  const write = makeWriteTampering({
    findings,
    openTamperings: (orgId) => openTamperings(pool, orgId),
    store: new EventStore(pool),
  });
  return new Background(() => {
    const writing = new PeriodicTask('writing tampering', writeMs, write, logger, idleWriteMs).start();
    findings.listen(() => writing.hasten());
    const comparing = new RecoverySweep({
      name: 'comparing policies with the log',
      pool,
      everyMs: compareMs,
      idleMs: idleCompareMs,
      work: () => comparison.compareIfDue(),
      logger,
    }).start();
    return [comparing, writing];
  });
}
