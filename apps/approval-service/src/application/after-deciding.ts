import type { ApprovalView } from '@agentlattice/contracts';
import type { Outcome, Statement, StoredEvent, StreamRef } from '@agentlattice/event-store';
import type pg from 'pg';
import { type Approval, isOpen } from '../domain/approval.js';
import { changedRows, projectApprovalsStatements, erasableValuesOf } from '../outbound/project-approvals.js';
import {
  findStatusesStatement,
  findErasableValuesStatement,
  keyOf,
  type ApprovalKey,
} from '../read/approval-reader.js';
import {
  type ApprovalRow,
  type HistoryRow,
  maxHistorySteps,
  type ErasableValues,
  type StatusRow,
  toView,
} from '../read/approval-row.js';

type Outcomes = readonly Outcome<Approval, StreamRef>[];

/** The state of a request that has ended. */
export interface Ended {
  readonly row: StatusRow;
  /** Null if it had ended before: the answer contains only the decision. */
  readonly view: (() => ApprovalView) | null;
}

export interface AfterDeciding {
  /** Sent together with the COMMIT. */
  readonly statements: readonly Statement[];
  /** Made from their answers, by `keyOf`. */
  readonly ended: (answers: readonly pg.QueryResult[]) => ReadonlyMap<string, Ended>;
}

/**
 * The writes of decisions, and the data for their answers: the rows that the statement returns and the events that were
 * loaded to decide. Only missing data is read, in the same round trip: the erasable values of earlier votes of a request that
 * ended now, and the rows of requests that had ended before.
 */
export function afterDeciding(outcomes: Outcomes): AfterDeciding {
  const events = outcomes.flatMap((outcome) => outcome.events);
  const endings = new Map(
    outcomes.flatMap((outcome) =>
      outcome.events.length === 0 || isOpen(outcome.state) ? [] : [[keyOf(approvalKeyOf(outcome)), outcome]],
    ),
  );
  const before = outcomes.filter(
    (outcome) => (isTooLate(outcome) || hadEnded(outcome)) && !endings.has(keyOf(approvalKeyOf(outcome))),
  );
  const withVotes = [...endings.values()].flatMap(({ history, state }) =>
    isByPeople(state) ? history.slice(-maxHistorySteps).filter(lacksErasableValues) : [],
  );
  const writing = projectApprovalsStatements(events, changedRows);
  const values =
    withVotes.length === 0 ? [] : [findErasableValuesStatement(withVotes.map(({ event_id }) => event_id))];
  const standing = before.length === 0 ? [] : [findStatusesStatement(before.map(approvalKeyOf))];
  return {
    statements: [...writing, ...values, ...standing],
    ended: (answers) => {
      const [written, rest] = [answers[0], answers.slice(writing.length)];
      const valuesOf = new Map(
        rowsOf<{ event_id: string; erasable_values: ErasableValues }>(
          values.length === 0 ? undefined : rest[0],
        ).map((row) => [row.event_id, row.erasable_values]),
      );
      const ended = new Map<string, Ended>();
      for (const changed of rowsOf<Omit<ApprovalRow, 'erasable_values'>>(
        writing.length === 0 ? undefined : written,
      )) {
        const outcome = endings.get(keyOf(changed));
        if (outcome === undefined) continue;
        const row: ApprovalRow = { ...changed, erasable_values: lastErasableValues(outcome.events) };
        const history = [...outcome.history, ...outcome.events];
        const view = () =>
          toView(
            row,
            history.map((event) => toHistoryRow(event, valuesOf)),
            { how: 'full', reader: 'operator' },
          );
        ended.set(keyOf(row), { row, view });
      }
      for (const row of rowsOf<StatusRow>(rest[values.length])) ended.set(keyOf(row), { row, view: null });
      return ended;
    },
  };
}

const rowsOf = <Row>(answer: pg.QueryResult | undefined) => (answer?.rows ?? []) as readonly Row[];

export const approvalKeyOf = ({ stream }: Pick<Outcome<Approval>, 'stream'>): ApprovalKey => ({
  org_id: stream.orgId,
  approval_id: stream.streamId,
});

const tooLate = new Set(['APPROVAL_ALREADY_DECIDED', 'APPROVAL_TIMED_OUT']);
/** A request that is past its deadline and still open has no decision yet. */
export const isTooLate = ({ refused, state }: Pick<Outcome<Approval>, 'refused' | 'state'>) =>
  refused !== null && tooLate.has(refused.code) && !isOpen(state);

/** A command that is repeated after its request has ended. */
const hadEnded = ({ refused, events, state }: Outcome<Approval>) =>
  refused === null && events.length === 0 && !isOpen(state);

/** The answer to an agent that cancels contains only the status. */
const isByPeople = ({ status }: Approval) => status === 'approved' || status === 'denied';
const lacksErasableValues = ({ type, erasable }: StoredEvent) =>
  type !== 'approval.opened' && erasable === undefined;

const erasableValuesIn = (event: StoredEvent): ErasableValues => {
  const values = erasableValuesOf(event.erasable);
  return Object.keys(values).length === 0 ? null : values;
};
const lastErasableValues = (events: readonly StoredEvent[]): ErasableValues => {
  const last = events.at(-1);
  return last === undefined ? null : erasableValuesIn(last);
};

const toHistoryRow = (event: StoredEvent, valuesOf: ReadonlyMap<string, ErasableValues>): HistoryRow => ({
  ...event,
  erasable_values:
    event.erasable === undefined ? (valuesOf.get(event.event_id) ?? null) : erasableValuesIn(event),
});
