import type { EventStore } from '@agentlattice/event-store';
import { Background, type GrantSettings, PeriodicTask, RecoverySweep } from '@agentlattice/service';
import { Module } from '@nestjs/common';
import { makeApplyJudgements } from './application/apply-judgements.js';
import type { EndUndecidable } from './application/end-undecidable.js';
import { makeRejudgePending } from './application/rejudge-pending.js';
import { UndecidableSweep } from './application/undecidable-sweep.js';
import { EventsModule } from './events.module.js';
import { type ProjectionPorts, startPolicyChangesProjection } from './inbound/projections.js';
import { MembersModule } from './members.module.js';
import {
  END_UNDECIDABLE,
  EVENT_STORE,
  GRANT_SETTINGS,
  POLICY_CHANGES_BACKGROUND,
  PROJECTIONS,
} from './tokens.js';

/** Without a wake-up: another replica noted a change, or a request was opened while one was noted. */
const rejudgePace = { everyMs: 500, idleMs: 4_000 } as const;
const undecidableSweepEveryMs = 10_000;

/** Pending requests are judged again after the policies changed. */
@Module({
  imports: [EventsModule, MembersModule],
  providers: [
    {
      provide: POLICY_CHANGES_BACKGROUND,
      inject: [PROJECTIONS, EVENT_STORE, GRANT_SETTINGS, END_UNDECIDABLE],
      useFactory: policyChangesBackground,
    },
  ],
})
export class PolicyChangesModule {}

function policyChangesBackground(
  projections: ProjectionPorts,
  store: EventStore,
  { grantTtlSeconds }: GrantSettings,
  endUndecidable: EndUndecidable,
): Background {
  const { pool, nc, commands, logger } = projections;
  const undecidable = new UndecidableSweep({ pool, endUndecidable });
  return new Background(() => {
    const ending = new PeriodicTask(
      'finding requests that no member can decide',
      undecidableSweepEveryMs,
      () => undecidable.run(),
      logger,
    ).start();
    const rejudging = new RecoverySweep({
      name: 'judging pending requests again',
      pool,
      ...rejudgePace,
      work: makeRejudgePending({
        pool,
        apply: makeApplyJudgements({ pool, store, grantTtlSeconds, logger }),
        nc,
        commands,
        onPolicyReplaced: (requests) => {
          if (requests.length === 0) return;
          undecidable.note(requests);
          ending.wake();
        },
        logger,
      }),
      logger,
    }).start();
    return [startPolicyChangesProjection(projections, () => rejudging.wake()), rejudging, ending];
  });
}
