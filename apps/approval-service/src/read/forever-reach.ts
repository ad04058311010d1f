import type { approvalServiceCommands, CommandRequest, ForeverReach } from '@agentlattice/contracts';
import type pg from 'pg';
import { Viewer } from './viewers.js';
import type { Members } from '../outbound/members.js';
import { readRow } from './approval-reader.js';
import type { ApprovalRow } from './approval-row.js';
import type { OpenStates } from './open-states.js';
import { databaseNow } from './database-now.js';

export interface ForeverReachPorts {
  readonly pool: pg.Pool;
  readonly states: OpenStates;
  readonly members: Pick<Members, 'person'>;
}

interface AskedRow {
  readonly asked: number;
  readonly denied: number;
}
interface DenialRow {
  readonly approval_id: string;
  readonly resolved_at: Date;
  readonly resolved_by: string | null;
  readonly reason: string | null;
}
type Nullable<T> = { readonly [Key in keyof T]: T[Key] | null };
interface WaitingRow {
  readonly approval_id: string;
  readonly action_type: string;
  readonly agent_id: string;
  readonly agent_name: string;
  readonly deadline_at: Date;
  readonly total: number;
}

const days = 30;
const mostAgents = 50;
const mostWaiting = 20;

/** What an approval "forever" of a request would reach: the requests under its policy, or of its action type below it. */
export const makeReadForeverReach =
  ({ pool, states, members }: ForeverReachPorts) =>
  async (request: CommandRequest<typeof approvalServiceCommands.forever_reach>): Promise<ForeverReach> => {
    const { org_id, approval_id, viewer: operator, forever_for } = request;
    const row = await readRow(pool, { org_id, approval_id, agent_id: null });
    const [viewer, denials_30d, agents, waiting] = await Promise.all([
      databaseNow(pool).then((now) => Viewer.find(members, org_id, operator, now)),
      denialsOf(pool, row, forever_for),
      agentsOf(pool, row, forever_for),
      waitingOf(pool, row, forever_for),
    ]);
    const state = (await states.of([row])).values().next().value;
    return {
      approval_id,
      action_type: row.action_type,
      policy: row.policy,
      denials_30d,
      ...agents,
      ...waiting,
      ...viewer.outlook(state ?? null),
    };
  };
export type ReadForeverReach = ReturnType<typeof makeReadForeverReach>;

type ForeverFor = CommandRequest<typeof approvalServiceCommands.forever_reach>['forever_for'];

/** The requests that the changed policy would govern; `$1` to `$3` are the values of `under`. */
const reached = `a.org_id = $1 AND a.policy_id = $2 AND ($3::text IS NULL OR a.action_type = $3)`;
const under = ({ org_id, policy, action_type }: ApprovalRow, foreverFor: ForeverFor) => [
  org_id,
  policy.id,
  foreverFor === 'policy' ? null : action_type,
];
const recently = `a.created_at > clock_timestamp() - interval '${String(days)} days'`;

async function denialsOf(
  pool: pg.Pool,
  request: ApprovalRow,
  foreverFor: ForeverFor,
): Promise<ForeverReach['denials_30d']> {
  const byPerson = `a.status = 'denied' AND a.resolved_by IS NOT NULL`;
  const { rows } = await pool.query<AskedRow & Nullable<DenialRow>>(
    `SELECT figures.*, last.* FROM (
       SELECT count(*)::int AS asked, (count(*) FILTER (WHERE ${byPerson}))::int AS denied
         FROM approval a WHERE ${reached} AND ${recently}) AS figures
       LEFT JOIN LATERAL (
         SELECT a.approval_id, a.resolved_at, a.resolved_by,
                (SELECT s.value FROM event_value s WHERE s.event_id = a.resolving_event_id AND s.name = 'reason') AS reason
           FROM approval a WHERE ${reached} AND ${recently} AND ${byPerson}
          ORDER BY a.created_at DESC, a.approval_id DESC LIMIT 1) AS last ON true`,
    under(request, foreverFor),
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a count has no row');
  const { asked, denied, approval_id, resolved_at, resolved_by, reason } = row;
  return {
    asked,
    denied,
    last:
      approval_id === null || resolved_at === null
        ? null
        : { approval_id, at: resolved_at.toISOString(), reason, resolved_by },
  };
}

async function agentsOf(
  pool: pg.Pool,
  row: ApprovalRow,
  foreverFor: ForeverFor,
): Promise<Pick<ForeverReach, 'agents' | 'agents_total'>> {
  const { rows } = await pool.query<{ id: string; name: string; total: number }>(
    `SELECT a.agent_id AS id, max(a.agent_name) AS name, (count(*) OVER ())::int AS total
       FROM approval a WHERE ${reached} AND ${recently}
      GROUP BY a.agent_id ORDER BY count(*) DESC, a.agent_id LIMIT ${String(mostAgents)}`,
    under(row, foreverFor),
  );
  return { agents: rows.map(({ id, name }) => ({ id, name })), agents_total: rows[0]?.total ?? 0 };
}

async function waitingOf(
  pool: pg.Pool,
  row: ApprovalRow,
  foreverFor: ForeverFor,
): Promise<Pick<ForeverReach, 'waiting' | 'waiting_total'>> {
  const { rows } = await pool.query<WaitingRow>(
    `SELECT a.approval_id, a.action_type, a.agent_id, a.agent_name, a.deadline_at, (count(*) OVER ())::int AS total
       FROM open_request o JOIN approval a USING (org_id, approval_id)
      WHERE o.org_id = $1 AND ${reached} AND a.approval_id <> $4
      ORDER BY o.deadline_at, o.approval_id LIMIT ${String(mostWaiting)}`,
    [...under(row, foreverFor), row.approval_id],
  );
  return {
    waiting: rows.map(({ approval_id, action_type, agent_id, agent_name, deadline_at }) => ({
      approval_id,
      action_type,
      agent: { id: agent_id, name: agent_name },
      timeout_at: deadline_at.toISOString(),
    })),
    waiting_total: rows[0]?.total ?? 0,
  };
}
