import { z } from 'zod';
import { channelTypes, disabledReasons } from '../channels/channel.js';
import { outgoingEventTypes } from '../channels/outgoing-event.js';
import { instant, typeId } from '../primitives.js';

/** Addresses and URLs may be secret or may have to be erased, so only the notifier stores them. */
const subject = { channel_id: typeId('chn'), name: z.string(), channel_type: z.enum(channelTypes) };
const settings = { events: z.array(z.enum(outgoingEventTypes)), enabled: z.boolean() };

export const channelCreatedV1 = z.strictObject({ ...subject, ...settings });
/** `changed` names the changed members; only some of their values are in the event. */
export const channelUpdatedV1 = z.strictObject({
  ...subject,
  ...settings,
  changed: z.array(z.string()).min(1),
});
export const channelDeletedV1 = z.strictObject(subject);
/** The old secret also signs until `former_until`. */
export const channelSecretRotatedV1 = z.strictObject({ ...subject, former_until: instant() });

/** A test was requested. Written before it is sent; only the caller gets the result. */
export const channelTestedV1 = z.strictObject(subject);

/** A delivery was requested again; it starts at the beginning of its schedule. */
export const deliveryRedeliveredV1 = z.strictObject({
  delivery_id: typeId('dlv'),
  channel_id: typeId('chn').nullable(),
  event_id: z.string(),
  event_type: z.enum(outgoingEventTypes),
  approval_id: typeId('apr').nullable(),
});

/** The last attempt failed; it is sent again only on request. */
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
