import { type DomainEvent, type EventData, Refused } from '@agentlattice/contracts';
import { assertNever, type Decider, fold } from '@agentlattice/decider';
import { nextAttempt } from './delivery-schedule.js';
import type { Outcome } from './outcome.js';

/** The data of every event of a delivery. */
export type DeliveryFacts = EventData<'delivery.redelivered'>;

/** The consecutive failed attempts at a channel, for all deliveries, and the time of the first of them. */
export interface ChannelFailures {
  readonly failures: number;
  readonly since: Date;
}

/** One delivery to one receiver, and the recent failures of its channel. */
export type Delivery =
  | { readonly status: 'none' }
  | {
      readonly status: 'pending' | 'delivered' | 'kept' | 'dead' | 'superseded';
      readonly facts: DeliveryFacts;
      readonly attempts: number;
      /** Failed attempts in a row. */
      readonly failures: number;
      /** The deadline of its pending request; null when no request waits for this delivery. */
      readonly pendingUntil: Date | null;
      /** The time of the next attempt; null when there is none. */
      readonly dueAt: Date | null;
      /** The receiver refused it, so later deliveries need not wait for it. */
      readonly refused: boolean;
      readonly error: string | null;
      /** Null for a delivery to a contact of a policy. */
      readonly channel: ChannelFailures | null;
    };
export type KnownDelivery = Exclude<Delivery, { status: 'none' }>;

export type DeliveryCommand =
  | {
      readonly type: 'SettleAttempt';
      readonly outcome: Outcome;
      readonly now: Date;
      /** 0 ≤ jitter < 1 */
      readonly jitter: number;
    }
  | {
      readonly type: 'Redeliver';
      readonly now: Date;
      /** A process is sending it at this moment. */
      readonly isClaimed: boolean;
      /** Its channel exists and is enabled. */
      readonly isReachable: boolean;
    };

/** The events that go into the log; other changes of a delivery are only in its row and its list of attempts. */
export type LoggedDeliveryEvent = DomainEvent<'delivery.dead' | 'delivery.redelivered'>;
export type DeliveryEvent =
  | LoggedDeliveryEvent
  | { readonly type: 'attempt.succeeded'; readonly data: { readonly kind: 'delivered' | 'kept' } }
  | {
      readonly type: 'attempt.failed';
      readonly data: {
        readonly at: Date;
        readonly error: string;
        readonly refused: boolean;
        readonly retryAt: Date | null;
      };
    }
  | { readonly type: 'attempts.restarted'; readonly data: { readonly at: Date } }
  /** Whether to disable the channel: its receiver is gone, or enough attempts failed over a long enough time. */
  | { readonly type: 'channel.given_up'; readonly data: { readonly reason: 'gone' | 'failing' } };

/** A channel that fails this often and this long is disabled with the next dead delivery. */
const failingAttempts = 10;
const failingMs = 3 * 24 * 60 * 60 * 1_000;

export const deliveryDecider: Decider<Delivery, DeliveryCommand, DeliveryEvent> = {
  initialState: () => ({ status: 'none' }),
  decide,
  evolve,
};

/** @throws Refused NOT_FOUND, DELIVERY_UNDER_WAY or CHANNEL_DISABLED */
function decide(command: DeliveryCommand, state: Delivery): readonly DeliveryEvent[] {
  if (state.status === 'none') throw new Refused('NOT_FOUND', 'there is no such delivery in this workspace');
  switch (command.type) {
    case 'SettleAttempt':
      return settle(command, state);
    case 'Redeliver':
      if (state.status === 'pending' || command.isClaimed)
        throw new Refused(
          'DELIVERY_UNDER_WAY',
          'the delivery is already under way; the list shows its next attempt',
        );
      if (!command.isReachable)
        throw new Refused(
          'CHANNEL_DISABLED',
          'enable the channel first; a deleted channel gets no deliveries',
        );
      return [
        { type: 'attempts.restarted', data: { at: command.now } },
        { type: 'delivery.redelivered', data: state.facts },
      ];
    default:
      return assertNever(command);
  }
}

function settle(
  { outcome, now, jitter }: Extract<DeliveryCommand, { type: 'SettleAttempt' }>,
  state: KnownDelivery,
): readonly DeliveryEvent[] {
  if (outcome.kind !== 'failed') return [{ type: 'attempt.succeeded', data: { kind: outcome.kind } }];
  const isPending = state.status === 'pending';
  const retryAt =
    !isPending || outcome.final === true
      ? null
      : nextAttempt({
          failures: state.failures + 1,
          now,
          pendingUntil: state.pendingUntil,
          retryAfterMs: outcome.retryAfterMs ?? null,
          jitter,
        });
  const { error, refused = false } = outcome;
  const failed: DeliveryEvent = { type: 'attempt.failed', data: { at: now, error, refused, retryAt } };
  const dies = isPending && retryAt === null;
  const dead: DeliveryEvent = {
    type: 'delivery.dead',
    data: { ...state.facts, attempts: state.attempts + 1 },
  };
  const channel = channelAfter(state, failed);
  const reason =
    channel === null
      ? null
      : outcome.gone === true
        ? 'gone'
        : dies && isFailing(channel, now)
          ? 'failing'
          : null;
  return [
    failed,
    ...(dies ? [dead] : []),
    ...(reason === null ? [] : [{ type: 'channel.given_up', data: { reason } } as const]),
  ];
}

const isFailing = ({ failures, since }: ChannelFailures, now: Date) =>
  failures >= failingAttempts && now.getTime() - since.getTime() >= failingMs;

const channelAfter = (state: KnownDelivery, event: DeliveryEvent): ChannelFailures | null => {
  const after = evolve(state, event);
  return after.status === 'none' ? null : after.channel;
};

function evolve(state: Delivery, event: DeliveryEvent): Delivery {
  if (state.status === 'none') return state;
  switch (event.type) {
    case 'attempt.succeeded':
      return {
        ...state,
        status: event.data.kind,
        attempts: state.attempts + 1,
        failures: 0,
        dueAt: null,
        error: null,
        channel:
          event.data.kind === 'delivered' && state.channel !== null
            ? { ...state.channel, failures: 0 }
            : state.channel,
      };
    case 'attempt.failed': {
      const { at, error, refused, retryAt } = event.data;
      return {
        ...state,
        attempts: state.attempts + 1,
        failures: state.failures + 1,
        dueAt: retryAt,
        error,
        refused,
        channel: state.channel === null ? null : oneMore(state.channel, at),
      };
    }
    case 'delivery.dead':
      return { ...state, status: 'dead', dueAt: null };
    case 'attempts.restarted': {
      const { at } = event.data;
      const { pendingUntil } = state;
      return {
        ...state,
        status: 'pending',
        failures: 0,
        dueAt: at,
        refused: false,
        error: null,
        pendingUntil: pendingUntil !== null && pendingUntil > at ? pendingUntil : null,
      };
    }
    case 'delivery.redelivered':
    case 'channel.given_up':
      return state;
    default:
      return assertNever(event);
  }
}

const oneMore = ({ failures, since }: ChannelFailures, at: Date): ChannelFailures => ({
  failures: failures + 1,
  since: failures === 0 ? at : since,
});

/** The state after a command's events. */
export function deliveryAfter(state: KnownDelivery, events: readonly DeliveryEvent[]): KnownDelivery {
  const after = fold(deliveryDecider, events, state);
  if (after.status === 'none') throw new Error('a delivery has no removing event');
  return after;
}
