import type { approvalServiceCommands, CommandRequest, GivenDenialReasons } from '@agentlattice/contracts';
import type pg from 'pg';

const mostDenials = 500;
const leastTimes = 2;
const mostReasons = 5;
const longest = 80;

/** The reasons that people of a workspace gave again and again, most frequent first. */
export const makeReadDenialReasons =
  (pool: pg.Pool) =>
  async ({
    org_id,
  }: CommandRequest<typeof approvalServiceCommands.denial_reasons>): Promise<GivenDenialReasons> => {
    const { rows } = await pool.query<{ reason: string }>(
      `SELECT min(s.value) AS reason FROM (
         SELECT a.resolving_event_id FROM approval a
          WHERE a.org_id = $1 AND a.status = 'denied' AND a.resolved_by IS NOT NULL
          ORDER BY a.created_at DESC, a.approval_id DESC LIMIT ${String(mostDenials)}) AS denied
         JOIN event_value s ON s.event_id = denied.resolving_event_id AND s.name = 'reason'
        WHERE length(btrim(s.value)) BETWEEN 1 AND ${String(longest)}
        GROUP BY lower(btrim(s.value)) HAVING count(*) >= ${String(leastTimes)}
        ORDER BY count(*) DESC, 1 LIMIT ${String(mostReasons)}`,
      [org_id],
    );
    return { reasons: rows.map(({ reason }) => reason.trim()) };
  };
export type ReadDenialReasons = ReturnType<typeof makeReadDenialReasons>;
