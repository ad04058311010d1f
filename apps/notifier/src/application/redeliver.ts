import {
  type CommandRequest,
  type DeliveryView,
  type notifierCommands,
  Refused,
} from '@agentlattice/contracts';
import type pg from 'pg';
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
  }: CommandRequest<(typeof notifierCommands)['redeliver']>): Promise<DeliveryView> => {
    const standing = await reader.get(org_id, delivery_id);
    const { rowCount } = await pool.query(
      `UPDATE delivery d
          SET status = 'pending', due_at = clock_timestamp(), claim = NULL, failures = 0, refused = false, error = NULL,
              mail = NULL, delivered_at = NULL,
              pending_until = CASE WHEN pending_until > clock_timestamp() THEN pending_until END
        WHERE d.org_id = $1 AND d.delivery_id = $2 AND d.status <> 'pending'
          AND (d.claim IS NULL OR d.due_at <= clock_timestamp())
          AND (d.channel_id IS NULL OR EXISTS (
            SELECT FROM channel c WHERE c.org_id = d.org_id AND c.channel_id = d.channel_id
               AND c.enabled AND c.deleted_at IS NULL))`,
      [org_id, delivery_id],
    );
    if (rowCount === 0)
      throw standing.status === 'pending'
        ? new Refused('DELIVERY_UNDER_WAY', 'it is sent already; its next attempt is listed')
        : new Refused('CHANNEL_DISABLED', 'enable the channel first; one that was deleted gets nothing more');
    wake();
    return reader.get(org_id, delivery_id);
  };
export type Redeliver = ReturnType<typeof makeRedeliver>;
