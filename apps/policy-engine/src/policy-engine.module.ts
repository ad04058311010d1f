import {
  EventStore,
  type Projection,
  type Relay,
  startProjection,
  startRelay,
} from '@agentlattice/event-store';
import { type CommandClient, publishBatches } from '@agentlattice/messaging';
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
  RecoverySweep,
  NotWell,
  POOL,
  PeriodicTask,
  ServiceModule,
} from '@agentlattice/service';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { AllowForever } from './application/allow-forever.js';
import { makeChangePolicy } from './application/change-policy.js';
import { makeCheckChannels } from './application/check-channels.js';
import { makeCheckAction } from './application/check-action.js';
import { CompareWithLedger } from './application/compare-with-ledger.js';
import { JudgeSubmissions } from './application/judge-submissions.js';
import { NoteTampering } from './application/note-tampering.js';
import { makeRejudgeRequests } from './application/rejudge-requests.js';
import { makeWarnOfUnfillableQuorum } from './application/warn-of-unfillable-quorum.js';
import { PoliciesResponder } from './inbound/policies.responder.js';
import { SubmissionsResponder } from './inbound/submissions.responder.js';
import { ForeverRequests, noteForever } from './outbound/forever-requests.js';
import { LivePolicies } from './read/live-policies.js';
import { PolicyReader } from './read/policy-reader.js';
import {
  ALLOW_FOREVER,
  CHANGE_POLICY,
  CHECK_ACTION,
  CHECK_CHANNELS,
  FOREVER_EVENTS,
  FOREVER_NET,
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

/** How often it is looked for what was approved for ever and nobody asked for. */
const lookForForeverMs = 1_000;
/** With the longest pause of the net that asks (8 s) below what is promised (15 s). */
const idleLookForForeverMs = 4_000;
const askForForeverMs = 2_000;
const idleAskForForeverMs = 8_000;
/** How often it is looked whether a comparison is due, and whether something was found. */
const compareMs = 1_000;
const idleCompareMs = 5_000;
const noteMs = 500;
/** What is found wakes it; this is for what could not be written. */
const idleNoteMs = 8_000;

@Module({
  imports: [ServiceModule.forRoot('policy-engine')],
  controllers: [SubmissionsResponder, PoliciesResponder],
  providers: [
    {
      provide: NOTE_TAMPERING,
      inject: [POOL],
      useFactory: (pool: pg.Pool) => new NoteTampering(pool, new EventStore(pool)),
    },
    { provide: LIVE_POLICIES, inject: [CONFIG, LOGGER, HEALTH, NOTE_TAMPERING], useFactory: livePolicies },
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
      provide: FOREVER_EVENTS,
      inject: [POOL, NATS, COMMANDS, LOGGER],
      useFactory: (pool: pg.Pool, nc: NatsConnection, client: CommandClient, logger: Logger) =>
        startProjection({
          pool,
          nc,
          client,
          durable: 'policy-engine-forever',
          sources: ['gateway'],
          types: ['member.created', 'member.accepted'],
          handle: noteForever,
          logger,
        }),
    },
    {
      // Who approves for ever asks for it by a command; this is the net under it, and few approvals are for ever.
      provide: FOREVER_NET,
      inject: [POOL, NATS, COMMANDS, LOGGER],
      useFactory: (pool: pg.Pool, nc: NatsConnection, client: CommandClient, logger: Logger) =>
        startProjection({
          pool,
          nc,
          client,
          durable: 'policy-engine-forever',
          sources: ['approval-service'],
          types: ['approval.approved'],
          containing: { scope: 'forever' },
          handle: noteForever,
          onlyAsks: true,
          checkEveryMs: askForForeverMs,
          idleEveryMs: idleAskForForeverMs,
          logger,
        }),
    },
    {
      provide: ALLOW_FOREVER,
      inject: [POOL, LIVE_POLICIES, FOREVER_EVENTS, LOGGER],
      useFactory: (pool: pg.Pool, policies: LivePolicies, events: Projection, logger: Logger) =>
        new AllowForever({
          pool,
          store: new EventStore(pool),
          requests: new ForeverRequests(pool),
          membersCaughtUp: () => events.catchUp('gateway'),
          caughtUp: () => policies.caughtUp(),
          logger,
        }),
    },
    {
      provide: WARN_OF_UNFILLABLE_QUORUM,
      inject: [POOL, FOREVER_EVENTS, LOGGER],
      useFactory: (pool: pg.Pool, events: Projection, logger: Logger) =>
        makeWarnOfUnfillableQuorum({
          pool,
          membersHeardWithin: (ms) => events.caughtUpWithin('gateway', ms),
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
    @Inject(FOREVER_EVENTS) private readonly events: Projection,
    @Inject(FOREVER_NET) private readonly net: Projection,
    @Inject(FOREVER_WORK) private readonly forever: RecoverySweep,
    @Inject(TAMPERING_WORK) private readonly tampering: readonly (RecoverySweep | PeriodicTask)[],
    @Inject(POOL) pool: pg.Pool,
    @Inject(LAGS) lags: LagRegistry,
  ) {
    lags.addRelay('policy-engine', pool);
    lags.addProjection(events);
    lags.addProjection(net);
  }

  /** After the last batch: until then its items are judged. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([
      this.events.stop(),
      this.net.stop(),
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
