import { EventStore, type Projection } from '@agentlattice/event-store';
import { publishBatches } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  Background,
  type BaseConfig,
  COMMANDS,
  CONFIG,
  HEALTH,
  type HealthRegistry,
  LOGGER,
  NATS,
  Unhealthy,
  POOL,
  relayProvider,
  ServiceModule,
} from '@agentlattice/service';
import { Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { makeChangePolicy } from './application/change-policy.js';
import { makeCheckChannels } from './application/check-channels.js';
import { makeCheckAction } from './application/check-action.js';
import { JudgeSubmissions } from './application/judge-submissions.js';
import { makeRejudgeRequests } from './application/rejudge-requests.js';
import type { TamperingFindings } from './application/tampering-findings.js';
import { makeWarnOfUnfillableQuorum } from './application/warn-of-unfillable-quorum.js';
import { delegationProviders } from './delegation.providers.js';
import { foreverProviders } from './forever.providers.js';
import { DelegationsResponder } from './inbound/delegations.responder.js';
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
  MEMBER_EVENTS,
  JUDGE_SUBMISSIONS,
  LIVE_POLICIES,
  POLICIES_BACKGROUND,
  POLICY_READER,
  REJUDGE_REQUESTS,
  TAMPERING_FINDINGS,
  WARN_OF_UNFILLABLE_QUORUM,
} from './tokens.js';

/** The policy-engine: policies and their versions, delegations, verdicts, and the checks of both against the log. */
@Module({
  imports: [ServiceModule.forRoot('policy-engine')],
  controllers: [SubmissionsResponder, PoliciesResponder, DelegationsResponder],
  providers: [
    ...foreverProviders,
    ...tamperingProviders,
    ...delegationProviders,
    {
      provide: LIVE_POLICIES,
      inject: [CONFIG, LOGGER, HEALTH, TAMPERING_FINDINGS],
      useFactory: livePolicies,
    },
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
          membersKnownWithin: (ms) => members.caughtUpWithin('gateway', ms),
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
    { provide: POLICIES_BACKGROUND, inject: [LIVE_POLICIES], useFactory: policiesBackground },
    relayProvider('policy-engine'),
  ],
})
export class PolicyEngineModule {}

function livePolicies(
  { databaseUrl, service, instance }: BaseConfig,
  logger: Logger,
  health: HealthRegistry,
  findings: TamperingFindings,
): LivePolicies {
  const policies = new LivePolicies({
    databaseUrl,
    name: `${service}-${instance}-policies`,
    logger,
    onTampering: (orgId, found) => findings.note(orgId, found),
  });
  health.watch('policies', async () => {
    if (!(await policies.answers()))
      throw new Unhealthy([{ name: 'policies', reason: 'the policies may be out of date' }]);
  });
  return policies;
}

function policiesBackground(policies: LivePolicies): Background {
  // A replica that starts gets its share of the submissions as soon as it subscribes, so it reads the policies before.
  return new Background(async () => {
    await policies.start();
    return [policies];
  });
}
