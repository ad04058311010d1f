import type { auditLedgerCommands, CommandRequest } from '@agentlattice/contracts';
import type pg from 'pg';
import type { PostureFacts, Share } from '../domain/posture.js';

/** At most this many of the newest entries are read, whatever the size of the log. */
const newest = 10_000;
const days = 30;

const inWindow = `time > clock_timestamp() - interval '${String(days)} days'`;
const ofCaller = '($2::text IS NULL OR agent_id = $2)';

// Limits to the newest rows first, by an index, and then to the window; in the other order it would read the whole log.
const submissions = `
WITH recent AS MATERIALIZED (
  SELECT * FROM (
    SELECT id, type, time, policy_id, approval_id FROM entry
     WHERE org_id = $1 AND ${ofCaller} ORDER BY seq DESC LIMIT ${String(newest)}) n
   WHERE ${inWindow} AND type IN ('action.executed', 'action.requested', 'action.denied')
), judged AS (
  -- Scalar subqueries, so that each is a look into an index and never a join with a whole table; by decision rather
  -- than type, which has an index that leads to every approval there is.
  SELECT type = 'action.executed' OR type = 'action.requested' AND (
           SELECT true FROM entry e WHERE e.org_id = $1 AND e.approval_id = recent.approval_id
              AND e.decision = 'approved' LIMIT 1) IS TRUE AS done,
         (SELECT true FROM report r WHERE r.action_id = recent.id LIMIT 1) IS TRUE AS reported,
         -- A suspended agent or a delegation that is out of scope says nothing of the policies.
         policy_id IS NULL AND (
           SELECT s.record::jsonb #>> '{outcome,denial_reason}' FROM submission s
            WHERE s.entry_id = recent.id) = 'POLICY_NOT_FOUND' AS ungoverned
    FROM recent
)
SELECT count(*) AS submitted, count(*) FILTER (WHERE ungoverned) AS ungoverned,
       count(*) FILTER (WHERE done) AS done, count(*) FILTER (WHERE done AND reported) AS reported
  FROM judged`;

const decisions = `
SELECT count(*) FILTER (WHERE type <> 'approval.timed_out' AND operator_id IS NOT NULL) AS by_people,
       count(*) FILTER (WHERE type = 'approval.timed_out') AS timed_out
  FROM unnest(ARRAY['approval.approved', 'approval.denied', 'approval.timed_out']) AS wanted (wanted_type),
       LATERAL (SELECT type, time, operator_id, agent_id FROM entry
                 WHERE org_id = $1 AND type = wanted_type AND type <> 'action.executed'
                 ORDER BY seq DESC LIMIT ${String(newest)}) n
 WHERE ${inWindow} AND ${ofCaller}`;

type Counts<Name extends string> = Readonly<Record<Name, string>>;

/** Counts from the log of an agent's submissions, or of a workspace's. */
export async function postureFacts(
  pool: pg.Pool,
  { org_id, agent_id }: CommandRequest<typeof auditLedgerCommands.posture>,
): Promise<Omit<PostureFacts, 'integrity'>> {
  const values = [org_id, agent_id];
  const [submitted, decided] = await Promise.all([
    pool.query<Counts<'submitted' | 'ungoverned' | 'done' | 'reported'>>(submissions, values),
    pool.query<Counts<'by_people' | 'timed_out'>>(decisions, values),
  ]);
  const share = (some: string | undefined, all: number): Share => ({ some: Number(some ?? 0), all });
  const [action] = submitted.rows;
  const [approval] = decided.rows;
  const all = Number(action?.submitted ?? 0);
  return {
    governed: { some: all - Number(action?.ungoverned ?? 0), all },
    reported: share(action?.reported, Number(action?.done ?? 0)),
    decided: share(approval?.by_people, Number(approval?.by_people ?? 0) + Number(approval?.timed_out ?? 0)),
  };
}
