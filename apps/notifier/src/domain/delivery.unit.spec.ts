import {
  type Delivery,
  type DeliveryCommand,
  deliveryAfter,
  deliveryDecider,
  type KnownDelivery,
} from './delivery.js';
import type { Outcome } from './outcome.js';

const now = new Date('2026-11-25T10:00:00.000Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);
const facts = {
  delivery_id: 'dlv_1',
  channel_id: 'chn_1',
  event_id: 'evt_1',
  event_type: 'approval.requested',
  approval_id: 'apr_1',
} as const;
const delivery = (more: Partial<KnownDelivery> = {}): KnownDelivery => ({
  status: 'pending',
  facts,
  attempts: 0,
  failures: 0,
  pendingUntil: null,
  dueAt: now,
  refused: false,
  error: null,
  channel: { failures: 0, since: daysAgo(30) },
  ...more,
});
const failure = { kind: 'failed', error: 'refused the connection', status: null, answer: null } as const;
const settle = (outcome: Outcome): DeliveryCommand => ({ type: 'SettleAttempt', outcome, now, jitter: 0 });
const typesOf = (state: Delivery, command: DeliveryCommand) =>
  deliveryDecider.decide(command, state).map(({ type }) => type);
const after = (state: KnownDelivery, command: DeliveryCommand) =>
  deliveryAfter(state, deliveryDecider.decide(command, state));
/** Standard Webhooks has no pause left after the tenth failure. */
const lastAttempt = { failures: 9, attempts: 9 };

describe('an attempt that failed', () => {
  it('is followed by another attempt until the schedule ends', () => {
    const failed = after(delivery(), settle(failure));
    expect(failed).toMatchObject({ status: 'pending', attempts: 1, failures: 1, error: failure.error });
    expect(failed.dueAt).toEqual(new Date(now.getTime() + 5_000));
  });

  it('makes the delivery dead when it was the last, or when no further attempt can succeed', () => {
    expect(typesOf(delivery(lastAttempt), settle(failure))).toEqual(['attempt.failed', 'delivery.dead']);
    expect(typesOf(delivery(), settle({ ...failure, final: true }))).toEqual([
      'attempt.failed',
      'delivery.dead',
    ]);
    expect(deliveryDecider.decide(settle(failure), delivery(lastAttempt))).toContainEqual({
      type: 'delivery.dead',
      data: { ...facts, attempts: 10 },
    });
    expect(after(delivery(lastAttempt), settle(failure))).toMatchObject({ status: 'dead', dueAt: null });
  });

  it('does not change a delivery that was superseded meanwhile', () => {
    const superseded = delivery({ status: 'superseded', ...lastAttempt });
    expect(typesOf(superseded, settle(failure))).toEqual(['attempt.failed']);
    expect(after(superseded, settle(failure))).toMatchObject({
      status: 'superseded',
      attempts: 10,
      dueAt: null,
    });
  });
});

describe('an attempt that succeeded', () => {
  it.each([
    ['delivered', { kind: 'delivered', status: 200, answer: null } as const, 0],
    ['kept', { kind: 'kept', mail: { from: 'a', to: [], subject: '', text: '', html: '' } } as Outcome, 7],
  ])(
    'leaves it %s, and only a delivered one ends the row of failures of its channel',
    (status, outcome, left) => {
      const channel = { failures: 7, since: daysAgo(4) };
      expect(after(delivery({ failures: 3, attempts: 3, channel }), settle(outcome))).toMatchObject({
        status,
        attempts: 4,
        failures: 0,
        dueAt: null,
        channel: { failures: left },
      });
    },
  );
});

describe('a channel', () => {
  const dying = (channel: KnownDelivery['channel']) =>
    typesOf(delivery({ ...lastAttempt, channel }), settle(failure));

  it('is disabled with a dead delivery when nothing reached it in ten attempts and three days', () => {
    const longAgo = { failures: 9, since: daysAgo(3) };
    expect(dying(longAgo)).toEqual(['attempt.failed', 'delivery.dead', 'channel.given_up']);
    expect(dying({ ...longAgo, failures: 8 })).toEqual(['attempt.failed', 'delivery.dead']);
    expect(dying({ ...longAgo, since: daysAgo(2) })).toEqual(['attempt.failed', 'delivery.dead']);
    expect(typesOf(delivery({ channel: longAgo }), settle(failure))).toEqual(['attempt.failed']);
  });

  it('counts its failures from the first after a success', () => {
    expect(after(delivery(), settle(failure)).channel).toEqual({ failures: 1, since: now });
    const channel = { failures: 2, since: daysAgo(1) };
    expect(after(delivery({ channel }), settle(failure)).channel).toEqual({ failures: 3, since: daysAgo(1) });
  });

  it('is disabled at once when its receiver is gone', () => {
    const gone = settle({ ...failure, gone: true });
    expect(deliveryDecider.decide(gone, delivery())).toContainEqual({
      type: 'channel.given_up',
      data: { reason: 'gone' },
    });
    expect(typesOf(delivery({ channel: null }), gone)).toEqual(['attempt.failed']);
  });
});

describe('a delivery that is sent again', () => {
  const redeliver = (
    more: Partial<Extract<DeliveryCommand, { type: 'Redeliver' }>> = {},
  ): DeliveryCommand => ({
    type: 'Redeliver',
    now,
    isClaimed: false,
    isReachable: true,
    ...more,
  });
  const dead = delivery({
    status: 'dead',
    attempts: 10,
    failures: 10,
    dueAt: null,
    error: 'no',
    refused: true,
  });
  const codeOf = (state: Delivery, command: DeliveryCommand) => {
    try {
      return typesOf(state, command);
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it('begins its schedule again, which the log records', () => {
    expect(deliveryDecider.decide(redeliver(), dead)).toContainEqual({
      type: 'delivery.redelivered',
      data: facts,
    });
    expect(after(dead, redeliver())).toMatchObject({
      status: 'pending',
      attempts: 10,
      failures: 0,
      dueAt: now,
      refused: false,
      error: null,
    });
  });

  it('is urgent only while its request is pending', () => {
    const past = after({ ...dead, pendingUntil: daysAgo(1) }, redeliver());
    expect(past.pendingUntil).toBeNull();
    const future = new Date(now.getTime() + 60_000);
    expect(after({ ...dead, pendingUntil: future }, redeliver()).pendingUntil).toEqual(future);
  });

  it('is refused while it is under way, when its channel is disabled, and when it does not exist', () => {
    expect(codeOf(delivery(), redeliver())).toBe('DELIVERY_UNDER_WAY');
    expect(codeOf(dead, redeliver({ isClaimed: true }))).toBe('DELIVERY_UNDER_WAY');
    expect(codeOf(dead, redeliver({ isReachable: false }))).toBe('CHANNEL_DISABLED');
    expect(codeOf({ status: 'none' }, redeliver())).toBe('NOT_FOUND');
  });
});
