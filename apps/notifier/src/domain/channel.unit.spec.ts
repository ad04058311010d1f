import { deciderSpec } from '@agentlattice/decider';
import { channelDecider, type ChannelEvent } from './channel.js';

const given = deciderSpec(channelDecider);
const channel_id = 'chn_01m88r2x0cf6ftfm2r74t5dha4';
const deliveryId = 'dlv_01m88r2x0df6ftfm2r74t5dha4';
const subject = { channel_id, name: 'on-call', channel_type: 'webhook' as const };
const channel = { ...subject, events: ['approval.requested' as const], enabled: true };
const created: ChannelEvent = { type: 'channel.created', data: channel };
const deleted: ChannelEvent = { type: 'channel.deleted', data: subject };
const disabled: ChannelEvent = {
  type: 'endpoint.disabled',
  data: { ...subject, reason: 'gone', delivery_id: deliveryId },
};
const update = (patch: Partial<typeof channel>, changedSettings: string[] = []) => ({
  type: 'UpdateChannel' as const,
  patch,
  changedSettings,
});
const disable = { type: 'DisableEndpoint' as const, reason: 'gone' as const, deliveryId };

describe('a channel', () => {
  it('is made once', () => {
    given().when({ type: 'CreateChannel', channel }).thenEvents(created);
    given(created).when({ type: 'CreateChannel', channel }).thenNothing();
  });

  it('records the changed members, and only the names of changed settings', () => {
    given(created)
      .when(update({ name: 'night', enabled: true }, ['url']))
      .thenEvents({ type: 'channel.updated', data: { ...channel, name: 'night', changed: ['name', 'url'] } });
    given(created)
      .when(update({ name: 'on-call', events: ['approval.requested'] }))
      .thenNothing();
  });

  it('is disabled by the system once, and enabled by a person', () => {
    given(created).when(disable).thenEvents(disabled);
    given(created, disabled).when(disable).thenNothing();
    given(created, disabled)
      .when(update({ enabled: true }))
      .thenEvents({ type: 'channel.updated', data: { ...channel, changed: ['enabled'] } });
  });

  it('rotates its secret', () =>
    given(created)
      .when({ type: 'RotateSecret', formerUntil: new Date('2026-11-26T08:00:00.000Z') })
      .thenEvents({
        type: 'channel.secret_rotated',
        data: { ...subject, former_until: '2026-11-26T08:00:00.000Z' },
      }));

  it('does not exist before it was made or after it was deleted', () => {
    given(created).when({ type: 'DeleteChannel' }).thenEvents(deleted);
    for (const history of [[], [created, deleted]]) {
      given(...history)
        .when({ type: 'DeleteChannel' })
        .thenRefused('NOT_FOUND');
      given(...history)
        .when(update({ enabled: false }))
        .thenRefused('NOT_FOUND');
      given(...history)
        .when(disable)
        .thenNothing();
    }
  });
});
