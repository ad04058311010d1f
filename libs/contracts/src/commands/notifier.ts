import { z } from 'zod';
import {
  channelInput,
  channelPatch,
  channelTest,
  channelView,
  deliveryFilter,
  deliveryView,
  newChannelView,
} from '../channels/channel.js';
import { outgoingEvent } from '../channels/outgoing-event.js';
import { actor, typeId } from '../primitives.js';
import { command, query } from './command.js';
import { ping, replay } from './every-service.js';

const change = { org_id: typeId('org'), actor, correlation_id: z.string().nullable() };
const one = { org_id: typeId('org'), channel_id: typeId('chn') };
const list = {
  org_id: typeId('org'),
  cursor: z.string().nullable(),
  limit: z.number().int().min(1).max(200),
};

export const notifierCommands = {
  create_channel: command(
    'notifier',
    'create_channel',
    z.object({ ...change, channel: channelInput }),
    newChannelView,
  ),
  update_channel: command(
    'notifier',
    'update_channel',
    z.object({ ...change, ...one, patch: channelPatch }),
    channelView,
  ),
  delete_channel: command(
    'notifier',
    'delete_channel',
    z.object({ ...change, ...one }),
    z.object({ channel_id: typeId('chn') }),
  ),
  /** `overlap_ms`: how long the old secret also signs. */
  rotate_secret: command(
    'notifier',
    'rotate_secret',
    z.object({ ...change, ...one, overlap_ms: z.number().int().min(0) }),
    newChannelView,
  ),
  /** Sends a test at once and returns the result. Takes as long as the receiver, 10 s at most. */
  test_channel: command('notifier', 'test_channel', z.object({ ...change, ...one }), channelTest),
  get_channel: query('notifier', 'get_channel', z.object(one), channelView),
  /** Which of these ids are channels of the workspace; the policy-engine asks before it stores a policy that names them. */
  find_channels: query(
    'notifier',
    'find_channels',
    z.object({ org_id: typeId('org'), channel_ids: z.array(typeId('chn')).min(1).max(200) }),
    z.object({ channel_ids: z.array(typeId('chn')) }),
    ['policy-engine'],
  ),
  list_channels: query(
    'notifier',
    'list_channels',
    z.object(list),
    z.object({ channels: z.array(channelView), next_cursor: z.string().nullable() }),
  ),
  /** Newest first. */
  list_deliveries: query(
    'notifier',
    'list_deliveries',
    deliveryFilter.extend(list),
    z.object({ deliveries: z.array(deliveryView), next_cursor: z.string().nullable() }),
  ),
  redeliver: command(
    'notifier',
    'redeliver',
    z.object({ ...change, delivery_id: typeId('dlv') }),
    deliveryView,
  ),
  list_outgoing: query(
    'notifier',
    'list_outgoing',
    z.object(list),
    z.object({ events: z.array(outgoingEvent), next_cursor: z.string().nullable() }),
    [],
  ),
  /**
   * Sends a mail with the link of an invitation at once. The link is a secret, so it is in no event and no row; when the mail
   * fails, an administrator makes a new link. Takes as long as the mail server, 5 s at most.
   */
  mail_invitation: command(
    'notifier',
    'mail_invitation',
    z.object({
      org_id: typeId('org'),
      member_id: typeId('mbr'),
      to: z.string(),
      name: z.string(),
      workspace_name: z.string(),
      invited_by: z.string().nullable(),
      link: z.string(),
      expires_at: z.string(),
    }),
    /** `kept`: no mail server is set, and nothing was stored. */
    z.object({ outcome: z.enum(['sent', 'kept', 'failed']) }),
  ),
  replay: replay('notifier'),
  ping: ping('notifier'),
};
