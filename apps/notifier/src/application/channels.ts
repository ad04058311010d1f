import {
  channelSettings,
  type ChannelSettings,
  type ChannelTest,
  type ChannelView,
  type CommandRequest,
  type EventData,
  type NewChannelView,
  notifierCommands,
  Refused,
} from '@agentlattice/contracts';
import type { EventMeta, EventStore, Statement, StoredEvent, Tx } from '@agentlattice/event-store';
import { currentTraceparent } from '@agentlattice/observability';
import type pg from 'pg';
import { typeid } from 'typeid-js';
import { type Channel, type ChannelCommand, channelDecider, type LiveChannel } from '../domain/channel.js';
import type { CloudEvent } from '../domain/mail-content.js';
import type { OutgoingSource } from '@agentlattice/contracts';
import {
  eraseChannel,
  channelIn,
  insertChannel,
  readChannel,
  readChannelStatement,
  replaceSecret,
  toChannelView,
  updateChannelStatements,
} from '../outbound/channel-rows.js';
import type { ChannelSenders } from '../outbound/channels/channel-sender.js';
import { asksForOutcomes, followOutcomesFromStatement } from '../outbound/outcomes-position.js';
import { newSigningSecret, type SecretBox } from '../outbound/secret-box.js';
import { sendThrough } from '../outbound/send-through.js';
import { storeOutgoingEvents } from '../outbound/store-outgoing-events.js';

type Request<Verb extends keyof typeof notifierCommands> = CommandRequest<(typeof notifierCommands)[Verb]>;
type Change = Pick<Request<'delete_channel'>, 'actor' | 'correlation_id'>;

export interface ChannelsPorts {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly box: SecretBox;
  readonly senders: ChannelSenders;
  /** Up to where the ledger has numbered its events. */
  readonly outcomesHead: () => Promise<number>;
}

const testTimeoutMs = 10_000;

/** The ledger's position must be read before the transaction begins, and it was not. */
class HeadIsNeeded extends Error {}

/** What operators do with channels. The events are public; addresses and secrets stand in the row alone. */
export class Channels {
  constructor(private readonly ports: ChannelsPorts) {}

  async create({ org_id, channel: input, ...change }: Request<'create_channel'>): Promise<NewChannelView> {
    const { type, name, events, enabled, ...rest } = input;
    const settings = readSettings(type, rest);
    const channel_id = typeid('chn').toString();
    const secret = this.ports.senders[type].signed ? newSigningSecret() : null;
    const sealed = secret === null ? null : this.ports.box.seal(secret, channel_id);
    const channel = { channel_id, channel_type: type, name, events: [...new Set(events)], enabled };
    const head = asksForOutcomes(channel) ? await this.ports.outcomesHead() : null;
    await this.change(
      org_id,
      channel_id,
      { type: 'CreateChannel', channel },
      change,
      async (tx, event, state) => {
        if (head !== null) await run(tx, [followOutcomesFromStatement(head)]);
        await insertChannel(tx, event, state, { settings, secret: sealed });
      },
    );
    return { ...(await this.get({ org_id, channel_id })), ...(secret === null ? {} : { secret }) };
  }

  async get({ org_id, channel_id }: Request<'get_channel'>): Promise<ChannelView> {
    return toChannelView(await readChannel(this.ports.pool, org_id, channel_id));
  }

  async update({ org_id, channel_id, patch, ...change }: Request<'update_channel'>): Promise<ChannelView> {
    const update = (head: number | null) => this.updateOnce(org_id, channel_id, patch, change, head);
    try {
      await update(null);
    } catch (error) {
      if (!(error instanceof HeadIsNeeded)) throw error;
      await update(await this.ports.outcomesHead());
    }
    return this.get({ org_id, channel_id });
  }

  /** The row is read under its stream's lock: of two changes at the same time to different members both take effect. */
  private async updateOnce(
    orgId: string,
    channelId: string,
    { name, events, enabled, ...rest }: Request<'update_channel'>['patch'],
    change: Change,
    head: number | null,
  ): Promise<void> {
    const patch = {
      ...(name === undefined ? {} : { name }),
      ...(events === undefined ? {} : { events: [...new Set(events)] }),
      ...(enabled === undefined ? {} : { enabled }),
    };
    let settings: ChannelSettings | null = null;
    let begins = false;
    const { outcomes } = await this.ports.store.decideEach({
      decider: channelDecider,
      streams: [{ orgId, streamId: channelId, meta: metaOf(change) }],
      reads: [readChannelStatement(orgId, channelId)],
      command: (_now, _stream, [read]): ChannelCommand => {
        const row = channelIn(read);
        const names = Object.keys(rest);
        settings = names.length === 0 ? null : readSettings(row.type, { ...row.settings, ...rest });
        begins = asksForOutcomes({ ...row, ...patch }) && !asksForOutcomes(row);
        if (begins && head === null) throw new HeadIsNeeded();
        const isNew = (member: string) =>
          JSON.stringify(memberOf(row.settings, member)) !== JSON.stringify(memberOf(settings ?? {}, member));
        return { type: 'UpdateChannel', patch, changedSettings: names.filter(isNew) };
      },
      along: ([outcome]) => {
        const event = outcome?.events[0];
        if (event === undefined || outcome?.state.status !== 'live') return [];
        return [
          ...(begins && head !== null ? [followOutcomesFromStatement(head)] : []),
          ...updateChannelStatements(event, outcome.state, { settings, disabledReason: null }),
        ];
      },
    });
    const refused = outcomes[0]?.refused;
    if (refused) throw refused;
  }

  async delete({
    org_id,
    channel_id,
    ...change
  }: Request<'delete_channel'>): Promise<{ channel_id: string }> {
    await this.change(org_id, channel_id, { type: 'DeleteChannel' }, change, eraseChannel);
    return { channel_id };
  }

  /** @throws Refused CHANNEL_HAS_NO_SECRET */
  async rotateSecret(request: Request<'rotate_secret'>): Promise<NewChannelView> {
    const { org_id, channel_id, overlap_ms, ...change } = request;
    const { type } = await readChannel(this.ports.pool, org_id, channel_id);
    if (!this.ports.senders[type].signed)
      throw new Refused('CHANNEL_HAS_NO_SECRET', `what a channel of type ${type} sends is not signed`);
    const secret = newSigningSecret();
    const sealed = this.ports.box.seal(secret, channel_id);
    const command = (now: Date): ChannelCommand => ({
      type: 'RotateSecret',
      formerUntil: new Date(now.getTime() + overlap_ms),
    });
    await this.change(org_id, channel_id, command, change, (tx, event) =>
      replaceSecret(tx, event, {
        secret: sealed,
        formerUntil: (event.data as EventData<'channel.secret_rotated'>).former_until,
      }),
    );
    return { ...(await this.get({ org_id, channel_id })), secret };
  }

  /** The receiver is gone, or nothing reached it for days: nothing more goes there, and the workspace is told. */
  async disable(
    orgId: string,
    channelId: string,
    reason: 'gone' | 'failing',
    deliveryId: string,
  ): Promise<void> {
    const system = { actor: { kind: 'system', id: null, key_id: null, via: 'system' }, correlation_id: null };
    await this.change(
      orgId,
      channelId,
      { type: 'DisableEndpoint', reason, deliveryId },
      system as Change,
      async (tx, event, state) => {
        await run(tx, updateChannelStatements(event, state, { settings: null, disabledReason: reason }));
        await storeOutgoingEvents(tx, [toSource(event)]);
      },
    );
  }

  /** Sends a test at once, by a channel that may be disabled. That it was asked for is on disk before anything leaves. */
  async test({ org_id, channel_id, ...change }: Request<'test_channel'>): Promise<ChannelTest> {
    await this.change(org_id, channel_id, { type: 'TestChannel' }, change, () => Promise.resolve());
    const row = await readChannel(this.ports.pool, org_id, channel_id);
    const startedAt = new Date();
    const { request, outcome } = await sendThrough(this.ports, {
      deliveryId: typeid('dlv').toString(),
      channelId: channel_id,
      type: row.type,
      settings: row.settings,
      secret: row.secret,
      formerSecret: row.former_until !== null && row.former_until > startedAt ? row.former_secret : null,
      event: testEvent(org_id, channel_id, row.name, startedAt),
      timeoutMs: testTimeoutMs,
      signal: AbortSignal.timeout(testTimeoutMs),
    });
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
  }

  private async change(
    orgId: string,
    streamId: string,
    command: ChannelCommand | ((now: Date) => ChannelCommand),
    by: Change,
    project: (tx: Tx, event: StoredEvent, state: LiveChannel) => Promise<void>,
  ): Promise<void> {
    let before: Channel = channelDecider.initialState();
    await this.ports.store.update({
      decider: {
        ...channelDecider,
        decide: (given, state) => channelDecider.decide(given, (before = state)),
      },
      orgId,
      streamId,
      command,
      meta: metaOf(by),
      project: async (tx, [event], state) => {
        const live = state.status === 'live' ? state : before;
        if (event !== undefined && live.status === 'live') await project(tx, event, live);
      },
    });
  }
}

/** @throws Refused VALIDATION_FAILED for members that are wrong, or belong to another type */
function readSettings(type: keyof typeof channelSettings, given: object): ChannelSettings {
  const read = channelSettings[type].safeParse(given);
  if (read.success) return read.data;
  const errors = read.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          pointer: `/${key}`,
          detail: `does not belong to a channel of type ${type}`,
        }))
      : [{ pointer: `/${issue.path.map(String).join('/')}`, detail: issue.message }],
  );
  throw new Refused('VALIDATION_FAILED', 'the channel is not right; see errors', { errors });
}

async function run(tx: Tx, statements: readonly Statement[]): Promise<void> {
  for (const { text, values } of statements) await tx.query(text, [...values]);
}

const metaOf = ({ actor, correlation_id }: Change): EventMeta => ({
  actor,
  correlation_id,
  traceparent: currentTraceparent(),
});

const memberOf = (settings: object, member: string): unknown =>
  (settings as Readonly<Record<string, unknown>>)[member];

const toSource = (event: StoredEvent): OutgoingSource =>
  ({
    event_id: event.event_id,
    org_id: event.org_id,
    source: 'notifier',
    occurred_at: event.occurred_at.toISOString(),
    correlation_id: event.meta.correlation_id,
    traceparent: event.meta.traceparent,
    type: event.type,
    data: event.data,
  }) as OutgoingSource;

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
