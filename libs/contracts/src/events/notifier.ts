import { z } from 'zod';
import { channelTypes, disabledReasons } from '../channels/channel.js';
import { outgoingEventTypes } from '../channels/outgoing-event.js';
import { instant, typeId } from '../primitives.js';

/** Addresses and URLs may have to be erased or be secret: they stay with the notifier. */
const subject = { channel_id: typeId('chn'), name: z.string(), channel_type: z.enum(channelTypes) };
const settings = { events: z.array(z.enum(outgoingEventTypes)), enabled: z.boolean() };

export const channelCreatedV1 = z.strictObject({ ...subject, ...settings });
/** `changed` names the members that are new, their values only where they stand here. */
export const channelUpdatedV1 = z.strictObject({
  ...subject,
  ...settings,
  changed: z.array(z.string()).min(1),
});
export const channelDeletedV1 = z.strictObject(subject);
/** The former secret signs beside the new one until `former_until`. */
export const channelSecretRotatedV1 = z.strictObject({ ...subject, former_until: instant() });

/** Somebody had a test sent; written before it is sent, and the caller alone hears what came of it. */
export const channelTestedV1 = z.strictObject(subject);

/** Somebody had a delivery sent again, from the beginning of its schedule. */
export const deliveryRedeliveredV1 = z.strictObject({
  delivery_id: typeId('dlv'),
  channel_id: typeId('chn').nullable(),
  event_id: z.string(),
  event_type: z.enum(outgoingEventTypes),
  approval_id: typeId('apr').nullable(),
});

/** The last attempt failed; it is sent again only when somebody says so. */
export const deliveryDeadV1 = z.strictObject({
  delivery_id: typeId('dlv'),
  channel_id: typeId('chn').nullable(),
  event_id: z.string(),
  event_type: z.enum(outgoingEventTypes),
  approval_id: typeId('apr').nullable(),
  attempts: z.number().int().min(0),
});

export const endpointDisabledV1 = z.strictObject({
  ...subject,
  reason: z.enum(disabledReasons),
  delivery_id: typeId('dlv'),
});
