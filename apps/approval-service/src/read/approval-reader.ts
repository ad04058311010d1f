import {
  type ApprovalStatus,
  type approvalServiceCommands,
  type CommandRequest,
  Refused,
} from '@agentlattice/contracts';
import type { Statement } from '@agentlattice/event-store';
import { Batcher } from '@agentlattice/service';
import type pg from 'pg';
import {
  type ApprovalRow,
  type StandingDecision,
  standingDecision,
  type StatusRow,
  toStatus,
} from './approval-row.js';
import { maySee, visibleTo } from './visible-to-agent.js';

type One = CommandRequest<(typeof approvalServiceCommands)['get_approval']>;

const resolvingErasableValues =
  '(SELECT jsonb_object_agg(s.name, s.value) FROM event_value s WHERE s.event_id = a.resolving_event_id) AS erasable_values';

export const columns = `a.*,
    greatest(0, extract(epoch FROM a.deadline_at - clock_timestamp()))::float8 AS time_left,
    ${resolvingErasableValues},
    (SELECT jsonb_build_object('metadata', v.metadata, 'data_accessed', v.data_accessed,
                               'conditions_evaluated', v.conditions_evaluated) FROM private_value v
      WHERE v.org_id = a.org_id AND v.approval_id = a.approval_id) AS private`;

/**
 * The limit makes the planner expect few rows. Otherwise it plans to read the whole table while that is small, and keeps that
 * plan.
 */
const these = '(SELECT * FROM unnest($1::text[], $2::text[]) AS k (org_id, approval_id) LIMIT $3) AS k';

const statuses = `SELECT a.org_id, a.approval_id, a.agent_id, a.acting_for, a.status, a.audit_event_id, a.action_type, a.action_digest,
    a.deadline_at, a.resolved_at, a.resolved_by, a.denial_reason, a.grant_expires_at, ${resolvingErasableValues}
  FROM ${these} JOIN approval a USING (org_id, approval_id)`;

export type ApprovalKey = Pick<One, 'org_id' | 'approval_id'>;
type Grants = (row: StatusRow) => string | null;

const columnsOf = (which: readonly ApprovalKey[]) => [
  which.map(({ org_id }) => org_id),
  which.map(({ approval_id }) => approval_id),
  which.length,
];
/** An instant of the database as milliseconds since 1970. */
export const epochMs = (instant: string) => `(extract(epoch FROM ${instant}) * 1000)::float8`;
export const keyOf = ({ org_id, approval_id }: ApprovalKey) => `${org_id}/${approval_id}`;
const unique = (which: readonly ApprovalKey[]) => [
  ...new Map(which.map((one) => [keyOf(one), one])).values(),
];
const notFound = () => new Refused('NOT_FOUND', 'there is no such approval request in this workspace');

/** Reads the status of these requests, a `StatusRow` for each. */
export const findStatusesStatement = (which: readonly ApprovalKey[]): Statement => ({
  text: statuses,
  values: columnsOf(unique(which)),
});

/** Reads the erasable values of these events. */
export const findErasableValuesStatement = (eventIds: readonly string[]): Statement => ({
  text: `SELECT k.event_id, (SELECT jsonb_object_agg(s.name, s.value) FROM event_value s WHERE s.event_id = k.event_id) AS erasable_values
           FROM unnest($1::text[]) AS k (event_id)`,
  values: [eventIds],
});

/** Reads approvals. An agent sees its own requests and those of agents that act for it; others do not exist. */
export class ApprovalReader {
  private readonly statusRows: Batcher<ApprovalKey, StatusRow | null>;

  constructor(
    private readonly pool: pg.Pool,
    private readonly grantOf: Grants,
  ) {
    // Waiting agents read it before and after the wait, so it is the most frequent query.
    this.statusRows = new Batcher((which) => this.readStatuses(which), { maxItems: 128, atOnce: 2 });
  }

  /** @throws Refused NOT_FOUND */
  async status(request: One): Promise<ApprovalStatus> {
    const row = await this.statusRows.do(request);
    if (row === null || !maySee(request.agent_id, row)) throw notFound();
    return this.statusOf(row);
  }

  statusOf(row: StatusRow): ApprovalStatus {
    return toStatus(row, this.grantOf(row));
  }

  /** @throws Refused NOT_FOUND */
  async decision(request: ApprovalKey): Promise<StandingDecision> {
    return standingDecision(await readRow(this.pool, { ...request, agent_id: null }));
  }

  private async readStatuses(which: readonly ApprovalKey[]): Promise<(StatusRow | null)[]> {
    const { text, values } = findStatusesStatement(which);
    const { rows } = await this.pool.query<StatusRow>(text, [...values]);
    const byKey = new Map(rows.map((row) => [keyOf(row), row]));
    return which.map((one) => byKey.get(keyOf(one)) ?? null);
  }
}

/** @throws Refused NOT_FOUND */
export async function readRow(pool: pg.Pool, { org_id, approval_id, agent_id }: One): Promise<ApprovalRow> {
  const { rows } = await pool.query<ApprovalRow>(
    `SELECT ${columns} FROM approval a
      WHERE a.org_id = $1 AND a.approval_id = $2 AND ($3::text IS NULL OR ${visibleTo('a', '$3')})`,
    [org_id, approval_id, agent_id],
  );
  const [row] = rows;
  if (row === undefined) throw notFound();
  return row;
}
