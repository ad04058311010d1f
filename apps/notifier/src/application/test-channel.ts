import type { ChannelTest } from '@agentlattice/contracts';
import type { EventStore } from '@agentlattice/event-store';
import type pg from 'pg';
import { typeid } from 'typeid-js';
import type { CloudEvent } from '../domain/mail-content.js';
import { readChannel } from '../outbound/channel-rows.js';
import type { ChannelSenders } from '../outbound/channels/channel-sender.js';
import type { SecretBox } from '../outbound/secret-box.js';
import { sendThrough } from '../outbound/send-through.js';
import { changeChannel, type ChannelRequest } from './channel-change.js';

export interface TestChannelPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly box: SecretBox;
  readonly senders: ChannelSenders;
}

const testTimeoutMs = 10_000;

/** Sends a test at once, also by a disabled channel. The event of the test is on disk before anything is sent. */
export const makeTestChannel =
  ({ pool, store, box, senders }: TestChannelPorts) =>
  async ({ org_id, channel_id, ...change }: ChannelRequest<'test_channel'>): Promise<ChannelTest> => {
    await changeChannel(store, { orgId: org_id, channelId: channel_id }, { type: 'TestChannel' }, change);
    const row = await readChannel(pool, org_id, channel_id);
    const startedAt = new Date();
    const { request, outcome } = await sendThrough(
      { box, senders },
      {
        deliveryId: typeid('dlv').toString(),
        channelId: channel_id,
        type: row.type,
        settings: row.settings,
        secret: row.secret,
        formerSecret: row.former_until !== null && row.former_until > startedAt ? row.former_secret : null,
        event: testEvent(org_id, channel_id, row.name, startedAt),
        timeoutMs: testTimeoutMs,
        signal: AbortSignal.timeout(testTimeoutMs),
      },
    );
    return {
      outcome: outcome.kind,
      duration_ms: Date.now() - startedAt.getTime(),
      request,
      answer:
        outcome.kind === 'kept' || (outcome.status === null && outcome.answer === null)
          ? null
          : { status: outcome.status, body: outcome.answer ?? '' },
      error:
        outcome.kind === 'failed'
          ? outcome.error
          : outcome.kind === 'kept'
            ? 'SMTP_URL is not set: mails are kept'
            : null,
    };
  };
export type TestChannel = ReturnType<typeof makeTestChannel>;

const testEvent = (orgId: string, channelId: string, name: string, now: Date): CloudEvent => ({
  specversion: '1.0',
  id: typeid('evt').toString(),
  source: `/workspaces/${orgId}/notifier`,
  type: 'channel.test',
  subject: channelId,
  time: now.toISOString(),
  datacontenttype: 'application/json',
  data: { org_id: orgId, channel_id: channelId, name },
});
