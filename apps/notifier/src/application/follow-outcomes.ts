import { type Projection, startProjection, type Tx } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { idle, PeriodicTask } from '@agentlattice/service';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { OutgoingSource } from '@agentlattice/contracts';
import { followingFrom, outcomesDurable, outcomesHead, outcomeTypes } from '../outbound/outcomes-position.js';

export interface FollowOutcomesPorts {
  readonly pool: pg.Pool;
  readonly nc: NatsConnection;
  readonly client: CommandClient;
  readonly logger: Logger;
  readonly handleAll: (tx: Tx, events: readonly OutgoingSource[]) => Promise<void>;
  readonly onApplied: () => void;
  readonly checkEveryMs?: number;
  /** How far behind the projection is counts while it runs. Returns how to end that. */
  readonly measureLag?: (projection: Projection) => () => Promise<void>;
}

/** What is asked for is known late and missed never: where it begins stands with the channel. */
const idlePauses = 5;

/**
 * Takes in outcomes of submissions while a channel asks for them: there are thousands a second, and mostly nobody waits.
 * Where it begins was written with the first channel that asked. The place is kept when nobody asks any more: another
 * process may still be at work there.
 */
export class FollowOutcomes {
  private projection: Projection | undefined;
  private endLag: (() => Promise<void>) | undefined;
  private readonly work: PeriodicTask;

  constructor(private readonly ports: FollowOutcomesPorts) {
    this.work = new PeriodicTask(
      'following outcomes',
      ports.checkEveryMs ?? 1_000,
      () => this.look(),
      ports.logger,
      (ports.checkEveryMs ?? 1_000) * idlePauses,
    );
  }

  start(): this {
    this.work.start();
    return this;
  }

  async stop(): Promise<void> {
    await this.work.stop();
    await this.endProjection();
  }

  private async endProjection(): Promise<void> {
    await this.endLag?.();
    await this.projection?.stop();
    this.projection = undefined;
  }

  private async look(): Promise<typeof idle | undefined> {
    const wanted = await this.isWanted();
    if (wanted && this.projection === undefined) {
      await this.knowWhere();
      this.projection = startProjection({
        ...this.ports,
        durable: outcomesDurable,
        sources: ['audit-ledger'],
        types: outcomeTypes,
        checkEveryMs: 30_000,
      });
      this.endLag = this.ports.measureLag?.(this.projection);
    } else if (!wanted && this.projection !== undefined) {
      await this.endProjection();
    } else return idle;
    return undefined;
  }

  private async isWanted(): Promise<boolean> {
    const { rows } = await this.ports.pool.query(
      'SELECT FROM channel WHERE enabled AND deleted_at IS NULL AND events && $1::text[] LIMIT 1',
      [outcomeTypes],
    );
    return rows.length > 0;
  }

  /** A channel made by a version that did not write it down: without a place it would begin with the whole past. */
  private async knowWhere(): Promise<void> {
    const { pool, client } = this.ports;
    const known = await pool.query('SELECT FROM consumer_position WHERE consumer = $1', [outcomesDurable]);
    if (known.rows.length > 0) return;
    const { text, values } = followingFrom(await outcomesHead(client));
    await pool.query(text, [...values]);
  }
}
