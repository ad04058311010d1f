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
import { type ApprovalRow, type HistoryRow, toStatus, toView } from './approval-row.js';

type Commands = typeof approvalServiceCommands;
type One = CommandRequest<Commands['get_approval']>;
type List = CommandRequest<Commands['list_approvals']>;

const cursorForm = /^(\d{1,15})\/(apr_[0-9a-z]{26})$/;

const select = `SELECT a.*,
    greatest(0, extract(epoch FROM a.deadline_at - clock_timestamp()))::float8 AS time_left,
    (SELECT jsonb_object_agg(v.name, v.value) FROM private_value v
      WHERE v.org_id = a.org_id AND v.approval_id = a.approval_id) AS private
  FROM approval a`;

/** Approvals as they are asked for; an agent sees its own only, and does not learn of others. */
export class ApprovalReader {
  constructor(private readonly pool: pg.Pool) {}

  /** @throws Refused NOT_FOUND */
  async get(request: One): Promise<ApprovalView> {
    const row = await this.row(request);
    const history = await this.history([row]);
    return toView(row, history.get(row.approval_id) ?? []);
  }

  /** @throws Refused NOT_FOUND */
  async status(request: One): Promise<ApprovalStatus> {
    return toStatus(await this.row(request));
  }

  /** Newest first. */
  async list(request: List): Promise<CommandResponse<Commands['list_approvals']>> {
    const after = cursorForm.exec(readCursor(request.cursor, cursorForm) ?? '');
    const { rows } = await this.pool.query<ApprovalRow>(
      `${select}
        WHERE a.org_id = $1
          AND ($2::text IS NULL OR a.status = $2 OR ($2 = 'pending' AND a.status = 'escalated'))
          AND ($3::text IS NULL OR a.action_type = $3)
          AND ($4::text IS NULL OR a.agent_id = $4)
          AND ($5::text IS NULL OR a.policy_id = $5)
          AND ($6::bigint IS NULL OR (a.created_at, a.approval_id) < (to_timestamp($6::bigint / 1000.0), $7::text))
        ORDER BY a.created_at DESC, a.approval_id DESC LIMIT $8`,
      [
        request.org_id,
        request.status ?? null,
        request.action_type ?? null,
        request.agent_id ?? null,
        request.policy_id ?? null,
        after?.[1] ?? null,
        after?.[2] ?? null,
        request.limit + 1,
      ],
    );
    const history = await this.history(rows);
    const views = rows.map((row) => toView(row, history.get(row.approval_id) ?? []));
    const { items, next_cursor } = page(
      views,
      request.limit,
      (view) => `${String(Date.parse(view.created_at))}/${view.approval_id}`,
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
      'SELECT stream_id, type, occurred_at, meta FROM event WHERE org_id = $1 AND stream_id = ANY ($2) ORDER BY stream_id, version',
      [first.org_id, approvals.map((row) => row.approval_id)],
    );
    return Map.groupBy(rows, (row) => row.stream_id);
  }
}
