import type { CommandRequest, DeliveryView, notifierCommands } from '@agentlattice/contracts';
import { currentTraceparent } from '@agentlattice/observability';
import type { DeliveryQueue } from '../outbound/delivery-queue.js';
import type { DeliveryReader } from '../read/delivery-reader.js';

export interface RedeliverPorts {
  readonly queue: Pick<DeliveryQueue, 'redeliver'>;
  readonly reader: Pick<DeliveryReader, 'get'>;
  readonly wake: () => void;
}

/**
 * Sends a delivery again from the beginning of its schedule, under its own id.
 * @throws Refused NOT_FOUND, DELIVERY_UNDER_WAY or CHANNEL_DISABLED
 */
export const makeRedeliver =
  ({ queue, reader, wake }: RedeliverPorts) =>
  async ({
    org_id,
    delivery_id,
    actor,
    correlation_id,
  }: CommandRequest<(typeof notifierCommands)['redeliver']>): Promise<DeliveryView> => {
    await queue.redeliver(org_id, delivery_id, {
      actor,
      correlation_id,
      traceparent: currentTraceparent(),
    });
    wake();
    return reader.get(org_id, delivery_id);
  };
export type Redeliver = ReturnType<typeof makeRedeliver>;
