import { EventStore, type Relay, startRelay } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import {
  type BaseConfig,
  CONFIG,
  HEALTH,
  type HealthRegistry,
  LOGGER,
  NATS,
  POOL,
  ServiceModule,
} from '@agentlattice/service';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { makeChangePolicy } from './application/change-policy.js';
import { makeCheckAction } from './application/check-action.js';
import { makeJudgeSubmissions } from './application/judge-submissions.js';
import { PoliciesResponder } from './inbound/policies.responder.js';
import { SubmissionsResponder } from './inbound/submissions.responder.js';
import { LivePolicies } from './read/live-policies.js';
import { PolicyReader } from './read/policy-reader.js';
import {
  CHANGE_POLICY,
  CHECK_ACTION,
  JUDGE_SUBMISSIONS,
  LIVE_POLICIES,
  POLICY_READER,
  RELAY,
} from './tokens.js';

@Module({
  imports: [ServiceModule.forRoot('policy-engine')],
  controllers: [SubmissionsResponder, PoliciesResponder],
  providers: [
    { provide: LIVE_POLICIES, inject: [CONFIG, LOGGER, HEALTH], useFactory: livePolicies },
    { provide: POLICY_READER, inject: [POOL], useFactory: (pool: pg.Pool) => new PolicyReader(pool) },
    {
      provide: CHANGE_POLICY,
      inject: [POOL, POLICY_READER, LIVE_POLICIES],
      useFactory: (pool: pg.Pool, reader: PolicyReader, policies: LivePolicies) =>
        makeChangePolicy({ store: new EventStore(pool), reader, caughtUp: () => policies.caughtUp() }),
    },
    { provide: CHECK_ACTION, inject: [LIVE_POLICIES], useFactory: makeCheckAction },
    { provide: JUDGE_SUBMISSIONS, inject: [LIVE_POLICIES], useFactory: makeJudgeSubmissions },
    {
      provide: RELAY,
      inject: [CONFIG, NATS, LOGGER],
      useFactory: ({ databaseUrl }: BaseConfig, nc: NatsConnection, logger: Logger) =>
        startRelay({ databaseUrl, nc, service: 'policy-engine', logger }),
    },
  ],
})
export class PolicyEngineModule implements OnApplicationShutdown {
  constructor(
    @Inject(LIVE_POLICIES) private readonly policies: LivePolicies,
    @Inject(RELAY) private readonly relay: Relay,
  ) {}

  /** After the last batch: until then its items are judged. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.policies.stop(), this.relay.stop()]);
  }
}

function livePolicies(
  { databaseUrl, service, instance }: BaseConfig,
  logger: Logger,
  health: HealthRegistry,
): LivePolicies {
  const policies = new LivePolicies({ databaseUrl, name: `${service}-${instance}-policies`, logger });
  health.add('policies', () => {
    if (!policies.fresh()) throw new Error('the policies may be out of date');
  });
  policies.start();
  return policies;
}
