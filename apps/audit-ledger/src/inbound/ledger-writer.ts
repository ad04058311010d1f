import {
  COMMANDS,
  EventStreamWatch,
  type GrantSigner,
  HEALTH,
  type HealthRegistry,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  POOL,
  Unhealthy,
} from '@agentlattice/service';
import type { CommandClient } from '@agentlattice/messaging';
import { type Logger, observe } from '@agentlattice/observability';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { ActiveWriter, type WriterHandlers } from '../application/active-writer.js';
import { makeGuardStart } from '../application/guard-start.js';
import { WriterElection } from '../application/writer-election.js';
import type { LedgerConfig } from '../config.js';
import type { CheckpointArchive } from '../outbound/checkpoint-archive.js';
import type { CheckpointStore } from '../outbound/checkpoint-store.js';
import type { LedgerKeys } from '../outbound/ledger-keys.js';
import { ledgerLags } from '../outbound/ledger-lags.js';
import { LedgerSession } from '../outbound/ledger-session.js';
import { unsignedSeconds } from '../outbound/unsigned-entries.js';
import { ARCHIVE, CHECKPOINTS, GRANTS, KEYS, LEDGER_CONFIG } from '../tokens.js';
import { subscribeWriter, takeCommands, type WaitingCommands } from './writer-subscriptions.js';

/** Readiness is public, so it does not name the workspace; the log of the service does. */
const rolledBack = {
  name: 'audit log writer',
  reason: 'an audit log does not hold what was signed, so nothing is written (docs/operations/backup.md)',
};

/** Takes part in the election of the active writer while the service runs: one instance writes, the others stand by. */
@Injectable()
export class LedgerWriter implements OnApplicationBootstrap, OnModuleDestroy {
  private active: ActiveWriter | null = null;
  private readonly election: WriterElection<LedgerSession, WaitingCommands>;
  private readonly stream: EventStreamWatch;
  private readonly gauges: readonly (() => void)[];

  constructor(
    @Inject(LEDGER_CONFIG) config: LedgerConfig,
    @Inject(KEYS) keys: LedgerKeys,
    @Inject(GRANTS) grants: GrantSigner,
    @Inject(ARCHIVE) archive: CheckpointArchive,
    @Inject(CHECKPOINTS) checkpoints: CheckpointStore,
    @Inject(POOL) pool: pg.Pool,
    @Inject(NATS) nc: NatsConnection,
    @Inject(COMMANDS) client: CommandClient,
    @Inject(LOGGER) logger: Logger,
    @Inject(HEALTH) health: HealthRegistry,
    @Inject(LAGS) lags: LagRegistry,
  ) {
    const guard = { archive, checkpoints, keys: keys.checkpoints };
    this.stream = new EventStreamWatch(nc, logger);
    const streamRefusal = () => this.stream.refusal;
    const listen = (handlers: WriterHandlers, taken: WaitingCommands | undefined) =>
      subscribeWriter(nc, logger, handlers, taken);
    const options = { nc, pool, client, logger, config, grants, guard, streamRefusal };
    this.election = new WriterElection<LedgerSession, WaitingCommands>({
      connect: () => LedgerSession.connect(config),
      guardStart: makeGuardStart({
        ...guard,
        release: config.release,
        released: (lost) =>
          logger.warn(
            { lost, reason: config.release?.reason },
            'an operator let this log go on without signed entries',
          ),
        now: () => new Date().toISOString(),
      }),
      takeCommands: () => takeCommands(nc, logger),
      logger,
      begin: async (session, heads, now, taken) =>
        (this.active = await ActiveWriter.begin(
          { ...options, listen: (handlers) => listen(handlers, taken) },
          { session, heads, databaseNow: now },
        )),
    });
    health.add('audit log writer', () => this.refuseIfNotReady());
    health.add('event stream', () => this.stream.check(), 'service');
    const blockedSeconds = () => this.blockedSeconds;
    const catchUp = () => this.active?.catchUp();
    this.gauges = [
      observe('agentlattice.writer.active', () => [
        { value: this.election.state.kind === 'active' ? 1 : 0, labels: {} },
      ]),
      observe('agentlattice.ledger.checkpoint.age', async () => [
        { value: await unsignedSeconds(pool), labels: {} },
      ]),
    ];
    for (const lag of ledgerLags({ pool, client, blockedSeconds, catchUp })) lags.add(lag);
  }

  onApplicationBootstrap(): void {
    this.stream.start();
    this.election.start();
  }

  async onModuleDestroy(): Promise<void> {
    for (const end of this.gauges) end();
    await this.stream.stop();
    await this.election.stop();
  }

  /** Signs unsigned entries if this instance is the writer. */
  async sign(orgId: string): Promise<void> {
    if (this.election.state.kind === 'active') await this.active?.sign(orgId);
  }

  private get blockedSeconds(): number {
    return this.election.state.kind === 'active' ? (this.active?.blockedSeconds ?? 0) : 0;
  }

  /** A standby is ready: it is able to take over. */
  private refuseIfNotReady(): void {
    const { state } = this.election;
    if (state.kind === 'starting') throw new Error('the writer is starting');
    if (state.kind === 'failing' && state.isRolledBack) throw new Unhealthy([rolledBack]);
    if (state.kind === 'failing') throw new Error(state.detail);
    const notReadyReasons = state.kind === 'active' ? (this.active?.notReadyReasons ?? []) : [];
    if (notReadyReasons.length > 0) throw new Error(notReadyReasons.join('; '));
  }
}
