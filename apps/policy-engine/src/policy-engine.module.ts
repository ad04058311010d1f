import { EventStore, type Projection, type Relay, startRelay } from '@agentlattice/event-store';
import { publishBatches } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  type BaseConfig,
  COMMANDS,
  CONFIG,
  HEALTH,
  type HealthRegistry,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  NotWell,
  type PeriodicTask,
  POOL,
  type RecoverySweep,
  ServiceModule,
} from '@agentlattice/service';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { makeChangePolicy } from './application/change-policy.js';
import { makeCheckChannels } from './application/check-channels.js';
import { makeCheckAction } from './application/check-action.js';
import { JudgeSubmissions } from './application/judge-submissions.js';
import type { NoteTampering } from './application/note-tampering.js';
import { makeRejudgeRequests } from './application/rejudge-requests.js';
import { makeWarnOfUnfillableQuorum } from './application/warn-of-unfillable-quorum.js';
import { foreverProviders } from './forever.providers.js';
import { PoliciesResponder } from './inbound/policies.responder.js';
import { SubmissionsResponder } from './inbound/submissions.responder.js';
import { LivePolicies } from './read/live-policies.js';
import { PolicyReader } from './read/policy-reader.js';
import { workspaceMembers } from './read/workspace-members.js';
import { tamperingProviders } from './tampering.providers.js';
import {
  CHANGE_POLICY,
  CHECK_ACTION,
  CHECK_CHANNELS,
  FOREVER_EVENTS,
  MEMBER_EVENTS,
  FOREVER_WORK,
  JUDGE_SUBMISSIONS,
  LIVE_POLICIES,
  NOTE_TAMPERING,
  POLICY_READER,
  REJUDGE_REQUESTS,
  RELAY,
  TAMPERING_WORK,
  WARN_OF_UNFILLABLE_QUORUM,
} from './tokens.js';

@Module({
  imports: [ServiceModule.forRoot('policy-engine')],
  controllers: [SubmissionsResponder, PoliciesResponder],
  providers: [
    ...foreverProviders,
    ...tamperingProviders,
    { provide: LIVE_POLICIES, inject: [CONFIG, LOGGER, HEALTH, NOTE_TAMPERING], useFactory: livePolicies },
    { provide: POLICY_READER, inject: [POOL], useFactory: (pool: pg.Pool) => new PolicyReader(pool) },
    {
      provide: CHANGE_POLICY,
      inject: [POOL, POLICY_READER, LIVE_POLICIES],
      useFactory: (pool: pg.Pool, reader: PolicyReader, policies: LivePolicies) =>
        makeChangePolicy({ store: new EventStore(pool), reader, caughtUp: () => policies.caughtUp() }),
    },
    { provide: CHECK_CHANNELS, inject: [COMMANDS], useFactory: makeCheckChannels },
    { provide: CHECK_ACTION, inject: [LIVE_POLICIES], useFactory: makeCheckAction },
    { provide: REJUDGE_REQUESTS, inject: [LIVE_POLICIES], useFactory: makeRejudgeRequests },
    {
      provide: WARN_OF_UNFILLABLE_QUORUM,
      inject: [POOL, MEMBER_EVENTS, LOGGER],
      useFactory: (pool: pg.Pool, members: Projection, logger: Logger) =>
        makeWarnOfUnfillableQuorum({
          membersOf: (orgId) => workspaceMembers(pool, orgId),
          membersHeardWithin: (ms) => members.caughtUpWithin('gateway', ms),
          logger,
        }),
    },
    {
      provide: JUDGE_SUBMISSIONS,
      inject: [LIVE_POLICIES, NATS],
      useFactory: (policies: LivePolicies, nc: NatsConnection) =>
        new JudgeSubmissions(policies, (subject, items, expiresAt) =>
          publishBatches(nc, subject, Number.isFinite(expiresAt) ? expiresAt : null, items),
        ),
    },
    {
      provide: RELAY,
      inject: [CONFIG, POOL, NATS, LOGGER],
      useFactory: ({ databaseUrl }: BaseConfig, pool: pg.Pool, nc: NatsConnection, logger: Logger) =>
        startRelay({ pool, databaseUrl, nc, service: 'policy-engine', logger }),
    },
  ],
})
export class PolicyEngineModule implements OnApplicationShutdown {
  constructor(
    @Inject(LIVE_POLICIES) private readonly policies: LivePolicies,
    @Inject(RELAY) private readonly relay: Relay,
    @Inject(MEMBER_EVENTS) private readonly memberEvents: Projection,
    @Inject(FOREVER_EVENTS) private readonly foreverEvents: Projection,
    @Inject(FOREVER_WORK) private readonly forever: RecoverySweep,
    @Inject(TAMPERING_WORK) private readonly tampering: readonly (RecoverySweep | PeriodicTask)[],
    @Inject(POOL) pool: pg.Pool,
    @Inject(LAGS) lags: LagRegistry,
  ) {
    lags.addRelay('policy-engine', pool);
    lags.addProjection(memberEvents);
    lags.addProjection(foreverEvents);
  }

  /** After the last batch: until then its items are judged. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([
      this.memberEvents.stop(),
      this.foreverEvents.stop(),
      this.forever.stop(),
      ...this.tampering.map((work) => work.stop()),
    ]);
    await Promise.all([this.policies.stop(), this.relay.stop()]);
  }
}

function livePolicies(
  { databaseUrl, service, instance }: BaseConfig,
  logger: Logger,
  health: HealthRegistry,
  notes: NoteTampering,
): LivePolicies {
  const policies = new LivePolicies({
    databaseUrl,
    name: `${service}-${instance}-policies`,
    logger,
    onTampering: (orgId, noted) => notes.note(orgId, noted),
  });
  health.add('policies', async () => {
    if (!(await policies.answers()))
      throw new NotWell([{ name: 'policies', reason: 'the policies may be out of date' }]);
  });
  policies.start();
  return policies;
}
