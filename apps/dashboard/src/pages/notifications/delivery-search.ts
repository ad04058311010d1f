import type { DeliveryFilter, DeliveryStatus } from '../../api/channels.js';

export const deliveryStatusNames: Readonly<Record<DeliveryStatus, string>> = {
  pending: 'Waiting or retrying',
  delivered: 'Delivered',
  kept: 'Kept here',
  superseded: 'No longer needed',
  dead: 'Given up',
};

/** The filter of deliveries as it stands in the address. */
export type DeliverySearch = DeliveryFilter;

export function readDeliverySearch(search: Readonly<Record<string, unknown>>): DeliverySearch {
  const { status, channel_id, approval_id } = search;
  const isStatus = (value: unknown): value is DeliveryStatus =>
    typeof value === 'string' && Object.hasOwn(deliveryStatusNames, value);
  const given = (name: string, value: unknown) =>
    typeof value === 'string' && value !== '' ? { [name]: value.slice(0, 255) } : {};
  return {
    ...(isStatus(status) ? { status } : {}),
    ...given('channel_id', channel_id),
    ...given('approval_id', approval_id),
  };
}
