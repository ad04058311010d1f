import { auditLedgerCommands } from '@agentlattice/contracts';
import { type Projection, type ProjectionOptions, startProjection, type Tx } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { RegularWork } from '@agentlattice/service';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { OutgoingSource } from '../domain/outgoing-event.js';

export interface FollowOutcomesPorts {
  readonly pool: pg.Pool;
  readonly nc: NatsConnection;
  readonly client: CommandClient;
  readonly logger: Logger;
  readonly handleAll: (tx: Tx, events: readonly OutgoingSource[]) => Promise<void>;
  readonly onApplied: () => void;
  readonly checkEveryMs?: number;
}

const durable = 'notifier-outcomes';
const types = ['action.executed', 'action.denied'] as const;

/**
 * Takes in outcomes of submissions while a channel asks for them: there are thousands a second, and mostly nobody waits.
 * It begins where the ledger is when the first channel asks, not with the past.
 */
export class FollowOutcomes {
  private projection: Projection | undefined;
  private forgotten = false;
  private readonly work: RegularWork;

  constructor(private readonly ports: FollowOutcomesPorts) {
    this.work = new RegularWork(
      'following outcomes',
      ports.checkEveryMs ?? 1_000,
      () => this.look(),
      ports.logger,
    );
  }

  start(): this {
    this.work.start();
    return this;
  }

  async stop(): Promise<void> {
    await this.work.stop();
    await this.projection?.stop();
  }

  private async look(): Promise<void> {
    const wanted = await this.isWanted();
    if (wanted && this.projection === undefined) {
      await this.beginHere();
      this.forgotten = false;
      const options: ProjectionOptions = { ...this.ports, durable, sources: ['audit-ledger'], types };
      this.projection = startProjection(options);
    } else if (!wanted && this.projection !== undefined) {
      await this.projection.stop();
      this.projection = undefined;
      await this.forget();
    } else if (!wanted && !this.forgotten) await this.forget();
  }

  private async isWanted(): Promise<boolean> {
    const { rows } = await this.ports.pool.query(
      'SELECT FROM channel WHERE enabled AND deleted_at IS NULL AND events && $1::text[] LIMIT 1',
      [types],
    );
    return rows.length > 0;
  }

  /** Unless it is known from before, where another process stopped or this one was started again. */
  private async beginHere(): Promise<void> {
    const { pool, client } = this.ports;
    const known = await pool.query('SELECT FROM consumer_position WHERE consumer = $1', [durable]);
    if (known.rows.length > 0) return;
    const { head_gpos } = await client.request(auditLedgerCommands.replay, {
      after_gpos: 0,
      limit: 1,
      types: [],
    });
    await pool.query(
      `INSERT INTO consumer_position (consumer, source, checked_gpos) VALUES ($1, 'audit-ledger', $2)
       ON CONFLICT DO NOTHING`,
      [durable, head_gpos],
    );
  }

  private async forget(): Promise<void> {
    await this.ports.pool.query('DELETE FROM consumer_position WHERE consumer = $1', [durable]);
    this.forgotten = true;
  }
}
