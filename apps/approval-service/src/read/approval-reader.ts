import {
  type ApprovalStatus,
  type ApprovalView,
  type approvalServiceCommands,
  type CommandRequest,
  type CommandResponse,
  Refused,
} from '@agentlattice/contracts';
import type { Statement } from '@agentlattice/event-store';
import { Batcher, maxPageBytes, page, readCursor } from '@agentlattice/service';
import type pg from 'pg';
import {
  type ApprovalRow,
  type HistoryRow,
  maxHistorySteps,
  type StandingDecision,
  standingDecision,
  type StatusRow,
  toStatus,
  toView,
} from './approval-row.js';

type Commands = typeof approvalServiceCommands;
type One = CommandRequest<Commands['get_approval']>;
type List = CommandRequest<Commands['list_approvals']>;

const cursorForm = /^(\d{1,15})\/(apr_[0-9a-z]{26})$/;

const resolvingErasableValues =
  '(SELECT jsonb_object_agg(s.name, s.value) FROM event_value s WHERE s.event_id = a.resolving_event_id) AS erasable_values';

const columns = `a.*,
    greatest(0, extract(epoch FROM a.deadline_at - clock_timestamp()))::float8 AS time_left,
    ${resolvingErasableValues},
    (SELECT jsonb_build_object('metadata', v.metadata, 'data_accessed', v.data_accessed,
                               'conditions_evaluated', v.conditions_evaluated) FROM private_value v
      WHERE v.org_id = a.org_id AND v.approval_id = a.approval_id) AS private`;
const select = `SELECT ${columns} FROM approval a`;

/**
 * The limit makes the planner expect few rows. Otherwise it plans to read the whole table while that is small, and keeps that
 * plan.
 */
const these = '(SELECT * FROM unnest($1::text[], $2::text[]) AS k (org_id, approval_id) LIMIT $3) AS k';

const statuses = `SELECT a.org_id, a.approval_id, a.agent_id, a.status, a.audit_event_id, a.action_type, a.action_digest,
    a.deadline_at, a.resolved_at, a.resolved_by, a.denial_reason, a.grant_expires_at, ${resolvingErasableValues}
  FROM ${these} JOIN approval a USING (org_id, approval_id)`;

const selectNewestErasableValues = `CASE WHEN row_number() OVER (PARTITION BY e.org_id, e.stream_id ORDER BY e.version DESC) <= ${String(maxHistorySteps)}
    THEN (SELECT jsonb_object_agg(s.name, s.value) FROM event_value s WHERE s.event_id = e.event_id) END`;

export type ApprovalKey = Pick<One, 'org_id' | 'approval_id'>;
type Grants = (row: StatusRow) => string | null;

const columnsOf = (which: readonly ApprovalKey[]) => [
  which.map(({ org_id }) => org_id),
  which.map(({ approval_id }) => approval_id),
  which.length,
];
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

/** Reads approvals. An agent sees only its own requests; others do not exist for it. */
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
  async get(request: One): Promise<ApprovalView> {
    const row = await this.row(request);
    const history = await this.history([row], selectNewestErasableValues);
    return toView(row, history.get(row.approval_id) ?? [], 'full');
  }

  /** @throws Refused NOT_FOUND */
  async status(request: One): Promise<ApprovalStatus> {
    const row = await this.statusRows.do(request);
    if (row === null || (request.agent_id !== null && request.agent_id !== row.agent_id)) throw notFound();
    return this.statusOf(row);
  }

  statusOf(row: StatusRow): ApprovalStatus {
    return toStatus(row, this.grantOf(row));
  }

  /** @throws Refused NOT_FOUND */
  async decision(request: ApprovalKey): Promise<StandingDecision> {
    return standingDecision(await this.row({ ...request, agent_id: null }));
  }

  /** Open requests by their deadline, the most urgent first; all others with the newest first. */
  async list(request: List): Promise<CommandResponse<Commands['list_approvals']>> {
    const queue = request.status === 'pending' || request.status === 'escalated';
    const [table, time, order, after] = queue
      ? ['o', 'deadline_at', 'ASC', '>']
      : ['a', 'created_at', 'DESC', '<'];
    const values: unknown[] = [request.org_id, request.limit + 1];
    const where = ['a.org_id = $1'];
    const and = (condition: (n: string) => string, value: unknown) =>
      where.push(condition(`$${String(values.push(value))}`));
    for (const name of ['action_type', 'agent_id', 'policy_id'] as const)
      if (request[name] !== undefined) and((n) => `a.${name} = ${n}`, request[name]);
    // The narrow table has the open requests; the planner cannot estimate their number from the status.
    const from = queue ? 'open_request o JOIN approval a USING (org_id, approval_id)' : 'approval a';
    if (queue) where.push('o.org_id = $1');
    if (request.status === 'pending') where.push(`a.status IN ('pending', 'escalated')`);
    else if (request.status !== undefined) and((n) => `a.status = ${n}`, request.status);
    const position = cursorForm.exec(readCursor(request.cursor, cursorForm) ?? '');
    if (position !== null) {
      const at = `to_timestamp($${String(values.push(position[1]))}::bigint / 1000.0)`;
      and((n) => `(${table}.${time}, ${table}.approval_id) ${after} (${at}, ${n}::text)`, position[2]);
    }
    // Reads one request more than a page to know whether the page is the last.
    const most = `$${String(values.push(maxPageBytes))}::bigint`;
    const orderedBy = (t: string) => `${t}.${time} ${order}, ${t}.approval_id ${order}`;
    const { rows } = await this.pool.query<ApprovalRow>(
      `SELECT ${columns}
         FROM (SELECT a.*, row_number() OVER w AS place, sum(a.bytes) OVER w - a.bytes AS bytes_before
                 FROM (SELECT a.*, coalesce((SELECT octet_length(concat(v.metadata, v.data_accessed, v.conditions_evaluated))
                                             FROM private_value v
                                            WHERE v.org_id = a.org_id AND v.approval_id = a.approval_id), 0) AS bytes
                         FROM ${from} WHERE ${where.join(' AND ')} ORDER BY ${orderedBy(table)} LIMIT $2) AS a
               WINDOW w AS (ORDER BY ${orderedBy('a')} ROWS UNBOUNDED PRECEDING)) AS a
        WHERE a.place <= 2 OR a.bytes_before <= ${most} ORDER BY ${orderedBy('a')}`,
      values,
    );
    const history = await this.history(rows, 'NULL');
    const views = rows.map((row) => toView(row, history.get(row.approval_id) ?? [], 'short'));
    const { items, next_cursor } = page(
      views,
      request.limit,
      (view) => `${String(Date.parse(queue ? view.timeout_at : view.created_at))}/${view.approval_id}`,
    );
    return { approvals: items, next_cursor };
  }

  private async readStatuses(which: readonly ApprovalKey[]): Promise<(StatusRow | null)[]> {
    const { text, values } = findStatusesStatement(which);
    const { rows } = await this.pool.query<StatusRow>(text, [...values]);
    const byKey = new Map(rows.map((row) => [keyOf(row), row]));
    return which.map((one) => byKey.get(keyOf(one)) ?? null);
  }

  private async row({ org_id, approval_id, agent_id }: One): Promise<ApprovalRow> {
    const { rows } = await this.pool.query<ApprovalRow>(
      `${select} WHERE a.org_id = $1 AND a.approval_id = $2 AND ($3::text IS NULL OR a.agent_id = $3)`,
      [org_id, approval_id, agent_id],
    );
    const [row] = rows;
    if (row === undefined) throw notFound();
    return row;
  }

  private async history(
    approvals: readonly ApprovalRow[],
    erasableValues: string,
  ): Promise<Map<string, HistoryRow[]>> {
    const [first] = approvals;
    if (first === undefined) return new Map();
    const { rows } = await this.pool.query<HistoryRow>(
      `SELECT e.org_id, e.stream_id, e.type, e.schema_version, e.data, e.occurred_at, e.meta, ${erasableValues} AS erasable_values
         FROM event e WHERE e.org_id = $1 AND e.stream_id = ANY ($2) ORDER BY e.stream_id, e.version`,
      [first.org_id, approvals.map((row) => row.approval_id)],
    );
    return Map.groupBy(rows, (row) => row.stream_id);
  }
}
