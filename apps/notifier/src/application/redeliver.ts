import {
  type CommandRequest,
  type DeliveryView,
  type EventData,
  type notifierCommands,
  Refused,
} from '@agentlattice/contracts';
import { inTransaction } from '@agentlattice/event-store';
import { currentTraceparent } from '@agentlattice/observability';
import type pg from 'pg';
import { appendDeliveryEvent, factsOf } from '../outbound/delivery-events.js';
import type { DeliveryReader } from '../read/delivery-reader.js';

export interface RedeliverPorts {
  readonly pool: pg.Pool;
  readonly reader: DeliveryReader;
  readonly wake: () => void;
}

/**
 * Sends a delivery again from the beginning of its schedule, under its own id.
 * @throws Refused NOT_FOUND, DELIVERY_UNDER_WAY or CHANNEL_DISABLED
 */
export const makeRedeliver =
  ({ pool, reader, wake }: RedeliverPorts) =>
  async ({
    org_id,
    delivery_id,
    actor,
    correlation_id,
  }: CommandRequest<(typeof notifierCommands)['redeliver']>): Promise<DeliveryView> => {
    // Whoever asks at the same time waits here, and is answered by how the row stands after that.
    await inTransaction(pool, async (tx) => {
      const { rows } = await tx.query<
        EventData<'delivery.redelivered'> & { under_way: boolean; open: boolean; now: Date }
      >(
        `SELECT d.delivery_id, d.channel_id, d.event_id, d.event_type, d.approval_id,
                date_trunc('milliseconds', clock_timestamp()) AS now,
                d.status = 'pending' OR (d.claim IS NOT NULL AND d.due_at > clock_timestamp()) AS under_way,
                d.channel_id IS NULL OR coalesce(c.enabled AND c.deleted_at IS NULL, false) AS open
           FROM delivery d LEFT JOIN channel c ON c.org_id = d.org_id AND c.channel_id = d.channel_id
          WHERE d.org_id = $1 AND d.delivery_id = $2 FOR UPDATE OF d`,
        [org_id, delivery_id],
      );
      const [standing] = rows;
      if (standing === undefined)
        throw new Refused('NOT_FOUND', 'there is no such delivery in this workspace');
      if (standing.under_way)
        throw new Refused('DELIVERY_UNDER_WAY', 'it is sent already; its next attempt is listed');
      if (!standing.open)
        throw new Refused(
          'CHANNEL_DISABLED',
          'enable the channel first; one that was deleted gets nothing more',
        );
      await tx.query(
        `UPDATE delivery
            SET status = 'pending', due_at = clock_timestamp(), claim = NULL, failures = 0, refused = false,
                error = NULL, mail = NULL, delivered_at = NULL,
                pending_until = CASE WHEN pending_until > clock_timestamp() THEN pending_until END
          WHERE org_id = $1 AND delivery_id = $2`,
        [org_id, delivery_id],
      );
      await appendDeliveryEvent(tx, {
        org_id,
        type: 'delivery.redelivered',
        data: factsOf(standing),
        occurred_at: standing.now,
        meta: { actor, correlation_id, traceparent: currentTraceparent() },
      });
    });
    wake();
    return reader.get(org_id, delivery_id);
  };
export type Redeliver = ReturnType<typeof makeRedeliver>;
