import { Refused, Unavailable } from '@agentlattice/contracts';
import { identified, inOneRoundTrip, type StoredEvent } from '@agentlattice/event-store';
import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import { isOpen, type KnownApproval, UnreadableEvent } from '../domain/approval.js';
import { approvalDecider } from '../domain/approval-decider.js';
import { replayApproval } from '../domain/replay-approval.js';
import { nextEscalationAt } from '../domain/escalation-plan.js';
import { type OpenableItem, openedData, openRequestsStatement } from '../outbound/approval-rows.js';
import { lockPoliciesStatement, noteOpenedDuringChangeStatement } from '../outbound/policy-changes.js';
import type { Alarm, AlarmClock } from '../outbound/deadline-alarms.js';
import { loadHistories } from '../read/approval-histories.js';
import type { EndUndecidable } from './end-undecidable.js';
import { isNear } from './near-alarms.js';
import type { TimeOutApprovals } from './time-out-approvals.js';

export type Opened = KnownApproval | Refused;

export interface OpenApprovalsPorts {
  readonly pool: pg.Pool;
  readonly alarms: AlarmClock;
  readonly timeOut: TimeOutApprovals;
  readonly endUndecidable: EndUndecidable;
  readonly logger: Logger;
}

const keyOf = ({ org_id, approval_id }: OpenableItem) => `${org_id}/${approval_id}`;

/**
 * Opens requests in one commit and returns the state of each. Opening again changes nothing. A request that is opened after
 * its deadline is timed out before it is answered, and one that no member can decide is denied if its policy says so. The
 * returned states are on disk.
 */
export const makeOpenApprovals =
  ({ pool, alarms, timeOut, endUndecidable, logger }: OpenApprovalsPorts) =>
  async (items: readonly OpenableItem[]): Promise<Opened[]> => {
    const first = new Map(items.map((item) => [keyOf(item), item] as const).reverse());
    // All batches use the same order: two with the same requests wait for each other and do not deadlock.
    const unique = [...first.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    const { states, now } = await openAll(pool, unique, logger);
    const late = unique.filter(
      (item) => isWaiting(states.get(keyOf(item))) && Date.parse(item.timeout_at) <= now.getTime(),
    );
    const ended = await timeOut(
      late.map(({ org_id: orgId, approval_id: approvalId, traceparent }) => ({
        orgId,
        approvalId,
        traceparent,
      })),
    );
    late.forEach((item, i) => {
      const state = ended[i];
      if (state !== undefined && state.status !== 'none') states.set(keyOf(item), state);
    });
    const waiting = unique.flatMap((item) => {
      const state = states.get(keyOf(item));
      return state instanceof Refused || state?.status !== 'pending' ? [] : [{ item, state }];
    });
    const ends = await endUndecidable(waiting).catch((error: unknown) => {
      logger.error(
        { err: error },
        'it is unknown whether any member can decide new requests; they stay open',
      );
      return [];
    });
    for (const { item, state } of ends) states.set(keyOf(item), state);
    alarms.set(unique.flatMap((item) => nearAlarms(item, states.get(keyOf(item)), now)));
    return items.map((item) => judged(item, states.get(keyOf(item))));
  };
export type OpenApprovals = ReturnType<typeof makeOpenApprovals>;

function nearAlarms(
  { org_id: orgId, approval_id: approvalId, timeout_at, traceparent }: OpenableItem,
  state: Opened | undefined,
  now: Date,
): Alarm[] {
  if (state === undefined || state instanceof Refused || !isOpen(state)) return [];
  const alarm = { orgId, approvalId, version: 1, traceparent };
  const times = [
    { ...alarm, kind: 'deadline' as const, at: new Date(timeout_at) },
    { ...alarm, kind: 'escalation' as const, at: nextEscalationAt(state) },
  ];
  return times.flatMap(({ at, ...rest }) => (at !== null && isNear(at, now) ? [{ ...rest, at }] : []));
}

const isWaiting = (state: Opened | undefined) =>
  state !== undefined && !(state instanceof Refused) && isOpen(state);

/** Refuses another action with an id that is taken, also within one batch. */
function judged(item: OpenableItem, state: Opened | undefined): Opened {
  if (state === undefined) return new Unavailable('it is not open');
  if (state instanceof Refused) return state;
  try {
    approvalDecider.decide({ type: 'OpenApproval', opened: openedData(item) }, state);
    return state;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

interface OpenedAt {
  readonly states: Map<string, Opened>;
  /** By the database's clock. */
  readonly now: Date;
}

async function openAll(pool: pg.Pool, items: readonly OpenableItem[], logger: Logger): Promise<OpenedAt> {
  try {
    return await openTogether(pool, items, logger);
  } catch (error) {
    if (!isBadData(error)) throw error;
    if (items.length === 1) {
      logger.error({ err: error, approval_id: items[0]?.approval_id }, 'a request cannot be stored');
      const refused = new Refused('INTERNAL', 'the request cannot be stored');
      return { states: new Map(items.map((item) => [keyOf(item), refused])), now: new Date(0) };
    }
  }
  // One of them cannot be stored. They are opened one by one, so that only that one fails.
  const each = await Promise.all(items.map((item) => openAll(pool, [item], logger)));
  return {
    states: new Map(each.flatMap(({ states }) => [...states])),
    now: each.map(({ now }) => now).reduce((a, b) => (a > b ? a : b)),
  };
}

/** Error classes 22 and 23 of PostgreSQL: the values are wrong, not the server. */
const isBadData = (error: unknown) => /^2[23]/.test(String((error as { code?: unknown } | null)?.code ?? ''));

async function openTogether(
  pool: pg.Pool,
  items: readonly OpenableItem[],
  logger: Logger,
): Promise<OpenedAt> {
  const offered = items.map((item) => ({ item, event: openedEvent(item) }));
  const { answers, inserted } = await inOneRoundTrip(
    pool,
    [
      lockPoliciesStatement(
        items.map(({ org_id }) => org_id),
        'shared',
      ),
      openRequestsStatement(offered),
      noteOpenedDuringChangeStatement(items),
    ],
    offered.map(({ event }) => event),
  );
  const [row] = (answers[1]?.rows ?? []) as readonly { now: Date }[];
  if (row === undefined) throw new Error('the database did not return its time');
  const states = new Map<string, Opened>();
  for (const event of inserted) {
    const state = replayApproval([event]);
    if (state.status !== 'none') states.set(`${event.org_id}/${event.stream_id}`, state);
  }
  // The transaction that took the version has committed, or the version would have been free.
  const left = items.filter((item) => !states.has(keyOf(item)));
  if (left.length > 0)
    for (const [key, state] of await loadStates(pool, left, logger)) states.set(key, state);
  return { states, now: row.now };
}

/** The event as it will be stored; the database sets its time. */
function openedEvent(item: OpenableItem): StoredEvent {
  const [event] = approvalDecider.decide(
    { type: 'OpenApproval', opened: openedData(item) },
    approvalDecider.initialState(),
  );
  if (event === undefined) throw new Error('opening a new request made no event');
  return identified({
    ...event,
    org_id: item.org_id,
    stream_id: item.approval_id,
    version: 1,
    occurred_at: new Date(0),
    meta: {
      actor: { kind: 'agent', id: item.agent.id, key_id: null, via: 'api' },
      correlation_id: item.correlation_id,
      traceparent: item.traceparent,
    },
  });
}

/** @returns no entry for a request that does not exist; a refusal for one whose history cannot be read */
async function loadStates(
  pool: pg.Pool,
  items: readonly OpenableItem[],
  logger: Logger,
): Promise<Map<string, Opened>> {
  const states = new Map<string, Opened>();
  for (const history of await loadHistories(pool, items)) {
    const [first] = history;
    if (first === undefined) continue;
    const key = `${first.org_id}/${first.stream_id}`;
    try {
      const state = replayApproval(history);
      if (state.status !== 'none') states.set(key, state);
    } catch (error) {
      if (!(error instanceof UnreadableEvent)) throw error;
      logger.error({ err: error, approval_id: first.stream_id }, 'a request cannot be read');
      states.set(key, new Refused('INTERNAL', 'the request cannot be read'));
    }
  }
  return states;
}
