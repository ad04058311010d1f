import { z } from 'zod';
import { givenEmail, givenName, instant, rulesBeyondSchema, typeId } from '../primitives.js';
import { outgoingEventTypes } from './outgoing-event.js';

const longestUrl = 2_048;
const urlRule = 'an http or https URL without credentials, white space around it or control characters';
/** The URL parser would drop surrounding white space and control characters silently, so they are refused. */
const isPlainHttpUrl = (text: string) => {
  if (!URL.canParse(text) || text !== text.trim() || /\p{Cc}/u.test(text)) return false;
  const { protocol, username, password, href } = new URL(text);
  const isPlain = (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
  return isPlain && href.length <= longestUrl;
};

/**
 * The settings of each type of channel. A further type is a row here, its sender in the notifier and that sender's line there
 * (ADR 39).
 */
export const channelSettings = {
  email: z.strictObject({
    to: z.array(givenEmail()).min(1).max(20).meta({ description: 'One mail goes to all of them' }),
  }),
  webhook: z.strictObject({
    url: z
      .string()
      .max(longestUrl)
      .refine(isPlainHttpUrl, {
        error: urlRule,
        abort: true,
      })
      // As the connection uses it: `①②⑦.0.0.1` would look like another receiver.
      .overwrite((text) => (URL.canParse(text) ? new URL(text).href : text))
      .meta({ description: 'http or https, no credentials', format: 'uri', ...rulesBeyondSchema(urlRule) }),
  }),
} as const;
export type ChannelType = keyof typeof channelSettings;
export const channelTypes = Object.keys(channelSettings) as [ChannelType, ...ChannelType[]];
export type ChannelSettings<T extends ChannelType = ChannelType> = {
  [K in T]: z.infer<(typeof channelSettings)[K]>;
}[T];

const members = {
  name: givenName(),
  events: z.array(z.enum(outgoingEventTypes)).max(50).meta({
    description: 'The event types it gets; escalation steps that name the channel are sent to it in any case',
  }),
  enabled: z.boolean(),
};

const inputOf = <T extends ChannelType>(type: T) =>
  z.strictObject({
    type: z.literal(type),
    name: members.name,
    events: members.events,
    enabled: members.enabled.default(true),
    ...channelSettings[type].shape,
  });
type Input = { [T in ChannelType]: ReturnType<typeof inputOf<T>> }[ChannelType];
export const channelInput = z
  .discriminatedUnion('type', channelTypes.map((type) => inputOf(type)) as [Input, ...Input[]])
  .meta({ id: 'ChannelInput' });
export type ChannelInput = z.infer<typeof channelInput>;

type Shape = (typeof channelSettings)[ChannelType]['shape'];
type KeyOf<Each> = Each extends unknown ? keyof Each : never;
type MemberOf<Each, M extends PropertyKey> = Each extends Record<M, infer S extends z.ZodType> ? S : never;
/** The settings of all types together; a name in several types has the same meaning in each. */
const anySettings = Object.assign(
  {},
  ...channelTypes.map((type) => channelSettings[type].partial().shape),
) as { [M in KeyOf<Shape>]: z.ZodOptional<MemberOf<Shape, M>> };

/** The members to change; others keep their values. A member that does not belong to the channel's type is a fault. */
export const channelPatch = z
  .strictObject({ ...members, ...anySettings })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, 'names at least one member to change')
  .meta({
    id: 'ChannelPatch',
    minProperties: 1,
    ...rulesBeyondSchema('does not belong to a channel of type …'),
  });
export type ChannelPatch = z.infer<typeof channelPatch>;

/** Why the system disabled a channel: the receiver answered 410, or every delivery failed for days. */
export const disabledReasons = ['gone', 'failing'] as const;

export const channelView = z
  .object({
    id: typeId('chn'),
    type: z.enum(channelTypes),
    ...members,
    name: z.string(),
    ...anySettings,
    to: z.array(z.string()).optional(),
    disabled_reason: z
      .enum(disabledReasons)
      .nullable()
      .meta({ description: 'Set when the system disabled it' }),
    former_secret_until: instant()
      .nullable()
      .meta({ description: 'Until then deliveries are also signed with the old secret' }),
    created_at: instant(),
    updated_at: instant(),
  })
  .meta({ id: 'Channel' });
export type ChannelView = z.infer<typeof channelView>;

export const newChannelView = channelView
  .extend({
    secret: z
      .string()
      .optional()
      .meta({ description: 'Of a webhook, shown once: verifies the signatures of Standard Webhooks' }),
  })
  .meta({ id: 'NewChannel' });
export type NewChannelView = z.infer<typeof newChannelView>;

export const deliveryStatuses = ['pending', 'delivered', 'kept', 'superseded', 'dead'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

const keptMail = z.object({
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
});
export type Mail = z.infer<typeof keptMail>;

export const deliveryView = z
  .object({
    id: typeId('dlv').meta({ description: 'Also the webhook-id of every attempt' }),
    channel_id: typeId('chn').nullable().meta({ description: 'Null for a mail to a contact of a policy' }),
    type: z.enum(channelTypes),
    recipient: z.string().nullable().meta({ description: 'The contact, where there is no channel' }),
    event_id: z.string(),
    event_type: z.enum(outgoingEventTypes),
    approval_id: typeId('apr').nullable(),
    status: z.enum(deliveryStatuses).meta({
      description:
        'kept: a mail that was not sent because SMTP_URL is not set; superseded: the request ended',
    }),
    created_at: instant(),
    next_attempt_at: instant().nullable(),
    delivered_at: instant().nullable(),
    error: z.string().nullable(),
    attempts_made: z.number().int().min(0),
    attempts: z
      .array(
        z.object({
          number: z.number().int().min(1),
          at: instant(),
          duration_ms: z.number().int().min(0),
          status: z.number().int().nullable().meta({ description: 'Of HTTP or SMTP' }),
          error: z.string().nullable(),
          answer: z.string().nullable().meta({ description: 'The beginning of the body' }),
        }),
      )
      .meta({ description: 'The last ten, newest first' }),
    mail: keptMail.nullable().meta({ description: 'Of a kept one, without its links' }),
  })
  .meta({ id: 'Delivery' });
export type DeliveryView = z.infer<typeof deliveryView>;

export const deliveryFilter = z.object({
  status: z.enum(deliveryStatuses).optional(),
  channel_id: z.string().max(255).optional(),
  approval_id: z.string().max(255).optional(),
});

/** The request that was sent and the answer. */
export const channelTest = z
  .object({
    outcome: z.enum(['delivered', 'kept', 'failed']),
    duration_ms: z.number().int().min(0),
    request: z.object({
      method: z.string(),
      target: z.string(),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
    }),
    answer: z.object({ status: z.number().int().nullable(), body: z.string() }).nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: 'ChannelTest' });
export type ChannelTest = z.infer<typeof channelTest>;
