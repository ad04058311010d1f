import { type ChannelType, type OutgoingEvent, Refused } from '@agentlattice/contracts';
import { type EventMeta, inTransaction, type Tx } from '@agentlattice/event-store';
import { count } from '@agentlattice/observability';
import type pg from 'pg';
import { deliveryAfter, deliveryDecider } from '../domain/delivery.js';
import type { Outcome } from '../domain/outcome.js';
import { appendDeliveryEvents, lockChannelFailures, lockDelivery, saveDelivery } from './delivery-rows.js';

/** A delivery that this process has to send before its claim ends. */
export interface ClaimedDelivery {
  readonly org_id: string;
  readonly delivery_id: string;
  readonly channel_id: string | null;
  readonly type: ChannelType;
  readonly target: string;
  readonly lane: string;
  /** How often it was tried before. */
  readonly attempts: number;
  readonly claim: string;
  readonly event: OutgoingEvent;
  readonly traceparent: string | null;
  /** Null when there is no channel, or when it is disabled or deleted. */
  readonly channel: {
    readonly settings: unknown;
    readonly secret: string | null;
    readonly former_secret: string | null;
  } | null;
}

export interface ClaimLimits {
  /** The most deliveries to claim. */
  readonly free: number;
  readonly perLane: number;
  readonly perWorkspace: number;
  /** The numbers of deliveries under way in this process. */
  readonly lanes: Readonly<Record<string, number>>;
  readonly workspaces: Readonly<Record<string, number>>;
  /** The most deliveries to claim of types whose receivers share a server, such as mail. */
  readonly types: Readonly<Partial<Record<ChannelType, number>>>;
}

export interface Attempt {
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly outcome: Outcome;
  readonly jitter: number;
}

/** The reason to disable the channel of a settled delivery; null for none. */
export type GivenUp = 'gone' | 'failing' | null;

const bySystem: EventMeta['actor'] = { kind: 'system', id: null, key_id: null, via: 'system' };

const full = (counts: Readonly<Record<string, number>>, bound: number) =>
  Object.keys(counts).filter((key) => (counts[key] ?? 0) >= bound);

/** Deliveries in the database, which alone decides what is sent, and when. */
export class DeliveryQueue {
  constructor(private readonly pool: pg.Pool) {}

  /** Whether any delivery is still to be sent, now or later. */
  async hasPending(): Promise<boolean> {
    const { rows } = await this.pool.query(`SELECT FROM delivery WHERE status = 'pending' LIMIT 1`);
    return rows.length > 0;
  }

  /** How long the oldest delivery has been due, in seconds; one under way is due when its claim ends. */
  async oldestDueSeconds(): Promise<number> {
    const { rows } = await this.pool.query<{ seconds: number | null }>(
      `SELECT extract(epoch FROM statement_timestamp() - min(due_at))::float8 AS seconds
         FROM delivery WHERE status = 'pending'`,
    );
    return Math.max(0, rows[0]?.seconds ?? 0);
  }

  /**
   * Claims due deliveries for this process, in turn from all lanes: lanes with the fewest under way come first, so that each gets its
   * share. A delivery of a dead process is due again when its claim ends. Among deliveries to one receiver about one request the
   * oldest comes first, unless the receiver refused it.
   */
  async claim(claim: string, leaseMs: number, limits: ClaimLimits): Promise<ClaimedDelivery[]> {
    const { rows } = await this.pool.query<{ delivery_id: string }>(
      // Finds the lanes by jumping from one to the next in the index, however many deliveries they contain.
      `WITH RECURSIVE lanes (lane) AS (
         (SELECT lane FROM delivery WHERE status = 'pending' ORDER BY lane LIMIT 1)
         UNION ALL
         SELECT (SELECT d.lane FROM delivery d WHERE d.status = 'pending' AND d.lane > l.lane ORDER BY d.lane LIMIT 1)
           FROM lanes l WHERE l.lane IS NOT NULL),
       due AS MATERIALIZED (
         SELECT d.*, row_number() OVER (PARTITION BY d.lane ORDER BY d.due_at, d.position)
                       + coalesce(($3::jsonb ->> d.lane)::int, 0) AS of_lane
           FROM lanes l, LATERAL (
             SELECT d.delivery_id, d.type, d.lane, d.org_id, d.due_at, d.position FROM delivery d
              WHERE d.status = 'pending' AND d.lane = l.lane AND d.due_at <= statement_timestamp()
                AND d.org_id <> ALL ($2::text[])
                AND NOT EXISTS (
                  SELECT FROM delivery o
                   WHERE o.org_id = d.org_id AND o.approval_id = d.approval_id AND o.position < d.position
                     AND o.target = d.target
                     AND ((o.status = 'pending' AND NOT o.refused)
                       OR (o.claim IS NOT NULL AND o.due_at > statement_timestamp())))
              ORDER BY d.due_at, d.position LIMIT $5) d
          WHERE l.lane <> ALL ($1::text[])),
       ranked AS (
         SELECT *,
                row_number() OVER (PARTITION BY org_id ORDER BY of_lane, due_at, position)
                  + coalesce(($4::jsonb ->> org_id)::int, 0) AS of_workspace,
                row_number() OVER (PARTITION BY type ORDER BY of_lane, due_at, position) AS of_type
           FROM due),
       taken AS (
         SELECT d.delivery_id FROM delivery d JOIN ranked r USING (delivery_id)
          WHERE r.of_lane <= $5 AND r.of_workspace <= $6
            AND r.of_type <= coalesce(($10::jsonb ->> r.type)::int, $7)
            AND d.status = 'pending' AND d.due_at <= statement_timestamp()
          ORDER BY r.of_lane, r.due_at, r.position LIMIT $7 FOR UPDATE OF d SKIP LOCKED)
       UPDATE delivery d SET claim = $8, due_at = clock_timestamp() + make_interval(secs => $9)
         FROM taken WHERE d.delivery_id = taken.delivery_id RETURNING d.delivery_id`,
      [
        full(limits.lanes, limits.perLane),
        full(limits.workspaces, limits.perWorkspace),
        JSON.stringify(limits.lanes),
        JSON.stringify(limits.workspaces),
        limits.perLane,
        limits.perWorkspace,
        limits.free,
        claim,
        leaseMs / 1_000,
        JSON.stringify(limits.types),
      ],
    );
    if (rows.length === 0) return [];
    return this.load(
      claim,
      rows.map((row) => row.delivery_id),
    );
  }

  private async load(claim: string, ids: readonly string[]): Promise<ClaimedDelivery[]> {
    const { rows } = await this.pool.query<
      Omit<ClaimedDelivery, 'event' | 'claim'> & {
        event_type: OutgoingEvent['type'];
        event_id: string;
        source: string;
        subject: string;
        occurred_at: Date;
        data: string;
      }
    >(
      `SELECT d.org_id, d.delivery_id, d.channel_id, d.type, d.target, d.lane, d.attempts, d.event_type,
              e.event_id, e.source, e.subject, e.occurred_at, e.data, e.traceparent,
              CASE WHEN c.channel_id IS NULL THEN NULL ELSE jsonb_build_object('settings', c.settings,
                'secret', c.secret,
                'former_secret', CASE WHEN c.former_until > clock_timestamp() THEN c.former_secret END) END AS channel
         FROM delivery d JOIN outgoing_event e USING (event_id)
         LEFT JOIN channel c
           ON c.org_id = d.org_id AND c.channel_id = d.channel_id AND c.enabled AND c.deleted_at IS NULL
        WHERE d.delivery_id = ANY ($1) AND d.claim = $2 ORDER BY d.position`,
      [ids, claim],
    );
    return rows.map(({ event_type, event_id, source, subject, occurred_at, data, ...delivery }) => ({
      ...delivery,
      claim,
      event: {
        specversion: '1.0',
        id: event_id,
        source,
        type: event_type,
        subject,
        time: occurred_at.toISOString(),
        datacontenttype: 'application/json',
        data: JSON.parse(data) as OutgoingEvent['data'],
      },
    }));
  }

  /** Writes the outcome of an attempt. Nothing changes when the claim has ended: another process sends the delivery again. */
  async settle(
    { delivery_id: deliveryId, claim, type }: Pick<ClaimedDelivery, 'delivery_id' | 'claim' | 'type'>,
    attempt: Attempt,
  ): Promise<GivenUp> {
    const { outcome, jitter } = attempt;
    let isDead = false;
    const givenUp = await inTransaction<GivenUp>(this.pool, async (tx) => {
      const locked = await lockDelivery(tx, { deliveryId, claim });
      if (locked === undefined) return null;
      const channel =
        outcome.kind === 'failed' ? await lockChannelFailures(tx, locked) : locked.state.channel;
      const state = { ...locked.state, channel };
      const { now, correlationId: correlation_id, traceparent } = locked;
      const events = deliveryDecider.decide({ type: 'SettleAttempt', outcome, now, jitter }, state);
      await insertAttempt(tx, deliveryId, state.attempts + 1, attempt);
      await saveDelivery(
        tx,
        locked,
        deliveryAfter(state, events),
        outcome.kind === 'kept' ? outcome.mail : null,
      );
      isDead = events.some((event) => event.type === 'delivery.dead');
      const meta = { actor: bySystem, correlation_id, traceparent };
      await appendDeliveryEvents(tx, locked, state.facts, events, meta);
      return events.find((event) => event.type === 'channel.given_up')?.data.reason ?? null;
    });
    if (isDead) count('agentlattice.delivery.dead_letters', { channel: type });
    return givenUp;
  }

  /**
   * Makes a delivery due from the beginning of its schedule, under its own id. Of several concurrent calls the later ones wait for the
   * row and are refused.
   * @throws Refused NOT_FOUND, DELIVERY_UNDER_WAY or CHANNEL_DISABLED
   */
  async redeliver(orgId: string, deliveryId: string, meta: EventMeta): Promise<void> {
    await inTransaction(this.pool, async (tx) => {
      const locked = await lockDelivery(tx, { deliveryId, orgId });
      if (locked === undefined) throw new Refused('NOT_FOUND', 'there is no such delivery in this workspace');
      const { now, isClaimed, isReachable, state } = locked;
      const events = deliveryDecider.decide({ type: 'Redeliver', now, isClaimed, isReachable }, state);
      await saveDelivery(tx, locked, deliveryAfter(state, events), null);
      await appendDeliveryEvents(tx, locked, state.facts, events, meta);
    });
  }

  /** Releases the claims of deliveries that were not sent completely: they are due at once. */
  async release(claim: string): Promise<void> {
    await this.pool.query(
      `UPDATE delivery SET claim = NULL, due_at = CASE WHEN status = 'pending' THEN clock_timestamp() END
        WHERE claim = $1`,
      [claim],
    );
  }
}

async function insertAttempt(
  tx: Tx,
  deliveryId: string,
  number: number,
  { startedAt, durationMs, outcome }: Attempt,
): Promise<void> {
  const { status, answer } = outcome.kind === 'kept' ? { status: null, answer: null } : outcome;
  const error = outcome.kind === 'failed' ? outcome.error : null;
  await tx.query(
    `INSERT INTO delivery_attempt (delivery_id, number, at, duration_ms, status, error, answer)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [deliveryId, number, startedAt.toISOString(), durationMs, status, error, answer],
  );
}
