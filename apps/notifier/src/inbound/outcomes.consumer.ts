import { type Projection, startProjection } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import {
  COMMANDS,
  idle,
  LAGS,
  type LagRegistry,
  LOGGER,
  NATS,
  PeriodicTask,
  POOL,
} from '@agentlattice/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { SendDeliveries } from '../application/send-deliveries.js';
import {
  ensureOutcomesPosition,
  outcomesAreWanted,
  outcomesDurable,
  outcomeTypes,
} from '../outbound/outcomes-position.js';
import { storeOutgoingEvents } from '../outbound/store-outgoing-events.js';
import { SEND_DELIVERIES } from '../tokens.js';

const checkEveryMs = 1_000;
/** While no channel changes. A channel that begins to ask for outcomes is noticed later by this time; no outcome is missed. */
const idlePauses = 5;

/**
 * Takes in outcomes of submissions while a channel asks for them: there are thousands a second, and mostly no channel wants them.
 * The first position was written with the first channel that asked. It is kept when no channel asks any longer, because another
 * process may still be using it.
 */
@Injectable()
export class OutcomesConsumer implements OnApplicationBootstrap, OnApplicationShutdown {
  private projection: Projection | undefined;
  private endLag: (() => Promise<void>) | undefined;
  private readonly task: PeriodicTask;

  constructor(
    @Inject(POOL) private readonly pool: pg.Pool,
    @Inject(NATS) private readonly nc: NatsConnection,
    @Inject(COMMANDS) private readonly client: CommandClient,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(LAGS) private readonly lags: LagRegistry,
    @Inject(SEND_DELIVERIES) private readonly sending: Pick<SendDeliveries, 'wake'>,
  ) {
    this.task = new PeriodicTask(
      'following outcomes',
      checkEveryMs,
      () => this.check(),
      logger,
      checkEveryMs * idlePauses,
    );
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.task.stop();
    await this.endProjection();
  }

  private async check(): Promise<typeof idle | undefined> {
    const wanted = await outcomesAreWanted(this.pool);
    if (wanted && this.projection === undefined) await this.beginProjection();
    else if (!wanted && this.projection !== undefined) await this.endProjection();
    else return idle;
    return undefined;
  }

  private async beginProjection(): Promise<void> {
    const { pool, nc, client, logger } = this;
    await ensureOutcomesPosition(pool, client);
    this.projection = startProjection({
      ...{ pool, nc, client, logger },
      durable: outcomesDurable,
      sources: ['audit-ledger'],
      types: outcomeTypes,
      checkEveryMs: 30_000,
      handleAll: storeOutgoingEvents,
      onApplied: () => this.sending.wake(),
    });
    this.endLag = this.lags.addProjection(this.projection);
  }

  private async endProjection(): Promise<void> {
    await this.endLag?.();
    await this.projection?.stop();
    this.projection = undefined;
  }
}
