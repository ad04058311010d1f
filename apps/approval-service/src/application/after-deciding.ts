import type { ApprovalView } from '@agentlattice/contracts';
import type { Outcome, Statement, StoredEvent, StreamRef } from '@agentlattice/event-store';
import type pg from 'pg';
import { type Approval, isOpen } from '../domain/approval.js';
import { changedRows, projecting, wordsOf } from '../outbound/project-approvals.js';
import { findingStatuses, findingWords, keyOf, type Which } from '../read/approval-reader.js';
import {
  type ApprovalRow,
  type HistoryRow,
  mostSteps,
  type Said,
  type StatusRow,
  toView,
} from '../read/approval-row.js';

type Outcomes = readonly Outcome<Approval, StreamRef>[];

/** How a request stands that has ended. */
export interface Ended {
  readonly row: StatusRow;
  /** Null where it ended before: only its decision is told. */
  readonly view: (() => ApprovalView) | null;
}

export interface AfterDeciding {
  /** Sent together with the COMMIT. */
  readonly statements: readonly Statement[];
  /** Made of their answers, by `keyOf`. */
  readonly ended: (answers: readonly pg.QueryResult[]) => ReadonlyMap<string, Ended>;
}

/**
 * What is written with decisions, and how those that asked are answered: from the rows that the writing gives back and the
 * events that were loaded to decide. Only what stands nowhere in memory is read, in the same trip: what was said with
 * earlier votes of a request that ended now, and the rows of those that had ended before.
 */
export function afterDeciding(outcomes: Outcomes): AfterDeciding {
  const events = outcomes.flatMap((outcome) => outcome.events);
  const endings = new Map(
    outcomes.flatMap((outcome) =>
      outcome.events.length === 0 || isOpen(outcome.state) ? [] : [[keyOf(whichOf(outcome)), outcome]],
    ),
  );
  const before = outcomes.filter((outcome) => isTooLate(outcome) && !endings.has(keyOf(whichOf(outcome))));
  const spoken = [...endings.values()].flatMap(({ history, state }) =>
    isByPeople(state) ? history.slice(-mostSteps).filter(isUnheard) : [],
  );
  const writing = projecting(events, changedRows);
  const words = spoken.length === 0 ? [] : [findingWords(spoken.map(({ event_id }) => event_id))];
  const standing = before.length === 0 ? [] : [findingStatuses(before.map(whichOf))];
  return {
    statements: [...writing, ...words, ...standing],
    ended: (answers) => {
      const [written, rest] = [answers[0], answers.slice(writing.length)];
      const said = new Map(
        rowsOf<{ event_id: string; said: Said }>(words.length === 0 ? undefined : rest[0]).map((row) => [
          row.event_id,
          row.said,
        ]),
      );
      const ended = new Map<string, Ended>();
      for (const changed of rowsOf<Omit<ApprovalRow, 'said'>>(writing.length === 0 ? undefined : written)) {
        const outcome = endings.get(keyOf(changed));
        if (outcome === undefined) continue;
        const row: ApprovalRow = { ...changed, said: saidAtLast(outcome.events) };
        const history = [...outcome.history, ...outcome.events];
        const view = () =>
          toView(
            row,
            history.map((event) => heard(event, said)),
            'full',
          );
        ended.set(keyOf(row), { row, view });
      }
      for (const row of rowsOf<StatusRow>(rest[words.length])) ended.set(keyOf(row), { row, view: null });
      return ended;
    },
  };
}

const rowsOf = <Row>(answer: pg.QueryResult | undefined) => (answer?.rows ?? []) as readonly Row[];

export const whichOf = ({ stream }: Pick<Outcome<Approval>, 'stream'>): Which => ({
  org_id: stream.orgId,
  approval_id: stream.streamId,
});

const tooLate = new Set(['APPROVAL_ALREADY_DECIDED', 'APPROVAL_TIMED_OUT']);
/** A request that is past its deadline and still open has no decision to tell. */
export const isTooLate = ({ refused, state }: Pick<Outcome<Approval>, 'refused' | 'state'>) =>
  refused !== null && tooLate.has(refused.code) && !isOpen(state);

/** An agent that cancels hears the status alone. */
const isByPeople = ({ status }: Approval) => status === 'approved' || status === 'denied';
const isUnheard = ({ type, erasable }: StoredEvent) => type !== 'approval.opened' && erasable === undefined;

const saidOf = (event: StoredEvent): Said => {
  const words = wordsOf(event.erasable);
  return Object.keys(words).length === 0 ? null : words;
};
const saidAtLast = (events: readonly StoredEvent[]): Said => {
  const last = events.at(-1);
  return last === undefined ? null : saidOf(last);
};

const heard = (event: StoredEvent, said: ReadonlyMap<string, Said>): HistoryRow => ({
  ...event,
  said: event.erasable === undefined ? (said.get(event.event_id) ?? null) : saidOf(event),
});
