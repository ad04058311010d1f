import {
  type ApprovalStatus,
  type ApprovalView,
  type approvalServiceCommands,
  type CommandRequest,
  type CommandResponse,
  Refused,
} from '@agentlattice/contracts';
import { page, readCursor } from '@agentlattice/service';
import type pg from 'pg';
import {
  type ApprovalRow,
  type HistoryRow,
  type StandingDecision,
  standingDecision,
  toStatus,
  toView,
} from './approval-row.js';

type Commands = typeof approvalServiceCommands;
type One = CommandRequest<Commands['get_approval']>;
type List = CommandRequest<Commands['list_approvals']>;

const cursorForm = /^(\d{1,15})\/(apr_[0-9a-z]{26})$/;

const select = `SELECT a.*,
    greatest(0, extract(epoch FROM a.deadline_at - clock_timestamp()))::float8 AS time_left,
    (SELECT jsonb_object_agg(s.name, s.value) FROM event_value s WHERE s.event_id = a.resolving_event_id) AS said,
    (SELECT jsonb_object_agg(v.name, v.value) FROM private_value v
      WHERE v.org_id = a.org_id AND v.approval_id = a.approval_id) AS private
  FROM approval a`;

/** Approvals as they are asked for; an agent sees its own only, and does not learn of others. */
export class ApprovalReader {
  constructor(
    private readonly pool: pg.Pool,
    private readonly grantOf: (row: ApprovalRow) => string | null,
  ) {}

  /** @throws Refused NOT_FOUND */
  async get(request: One): Promise<ApprovalView> {
    const row = await this.row(request);
    const history = await this.history([row]);
    return toView(row, history.get(row.approval_id) ?? []);
  }

  /** @throws Refused NOT_FOUND */
  async status(request: One): Promise<ApprovalStatus> {
    const row = await this.row(request);
    return toStatus(row, this.grantOf(row));
  }

  /** @throws Refused NOT_FOUND */
  async decision(request: Omit<One, 'agent_id'>): Promise<StandingDecision> {
    return standingDecision(await this.row({ ...request, agent_id: null }));
  }

  /** What waits for a decision by deadline, the most urgent first; anything else newest first. */
  async list(request: List): Promise<CommandResponse<Commands['list_approvals']>> {
    const queue = request.status === 'pending' || request.status === 'escalated';
    const [time, order, after] = queue ? ['deadline_at', 'ASC', '>'] : ['created_at', 'DESC', '<'];
    const values: unknown[] = [request.org_id, request.limit + 1];
    const where = ['a.org_id = $1'];
    const and = (condition: (n: string) => string, value: unknown) =>
      where.push(condition(`$${String(values.push(value))}`));
    for (const name of ['action_type', 'agent_id', 'policy_id'] as const)
      if (request[name] !== undefined) and((n) => `a.${name} = ${n}`, request[name]);
    if (request.status === 'pending') where.push(`a.status IN ('pending', 'escalated')`);
    else if (request.status !== undefined) and((n) => `a.status = ${n}`, request.status);
    const position = cursorForm.exec(readCursor(request.cursor, cursorForm) ?? '');
    if (position !== null) {
      const at = `to_timestamp($${String(values.push(position[1]))}::bigint / 1000.0)`;
      and((n) => `(a.${time}, a.approval_id) ${after} (${at}, ${n}::text)`, position[2]);
    }
    const { rows } = await this.pool.query<ApprovalRow>(
      `${select} WHERE ${where.join(' AND ')} ORDER BY a.${time} ${order}, a.approval_id ${order} LIMIT $2`,
      values,
    );
    const history = await this.history(rows);
    const views = rows.map((row) => toView(row, history.get(row.approval_id) ?? []));
    const { items, next_cursor } = page(
      views,
      request.limit,
      (view) => `${String(Date.parse(queue ? view.timeout_at : view.created_at))}/${view.approval_id}`,
    );
    return { approvals: items, next_cursor };
  }

  private async row({ org_id, approval_id, agent_id }: One): Promise<ApprovalRow> {
    const { rows } = await this.pool.query<ApprovalRow>(
      `${select} WHERE a.org_id = $1 AND a.approval_id = $2 AND ($3::text IS NULL OR a.agent_id = $3)`,
      [org_id, approval_id, agent_id],
    );
    const [row] = rows;
    if (row === undefined)
      throw new Refused('NOT_FOUND', 'there is no such approval request in this workspace');
    return row;
  }

  private async history(approvals: readonly ApprovalRow[]): Promise<Map<string, HistoryRow[]>> {
    const [first] = approvals;
    if (first === undefined) return new Map();
    const { rows } = await this.pool.query<HistoryRow>(
      `SELECT e.stream_id, e.type, e.data, e.occurred_at, e.meta,
              (SELECT jsonb_object_agg(s.name, s.value) FROM event_value s WHERE s.event_id = e.event_id) AS said
         FROM event e WHERE e.org_id = $1 AND e.stream_id = ANY ($2) ORDER BY e.stream_id, e.version`,
      [first.org_id, approvals.map((row) => row.approval_id)],
    );
    return Map.groupBy(rows, (row) => row.stream_id);
  }
}
