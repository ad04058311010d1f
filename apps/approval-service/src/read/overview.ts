import {
  type approvalServiceCommands,
  type CommandRequest,
  type Overview,
  type OverviewRange,
  Refused,
} from '@agentlattice/contracts';
import type pg from 'pg';
import { fullSeries, type PolicyRow, type SeriesRow, withAdvice } from '../domain/overview.js';
import { soonMs } from '../domain/queue-figures.js';

/** Below the time that the gateway waits. */
const mostMs = 3_000;
const mostPolicies = 50;
/** The steps of each range before the present one. */
const steps: Readonly<Record<OverviewRange, { bucket: 'hour' | 'day'; before: number }>> = {
  '24h': { bucket: 'hour', before: 23 },
  '14d': { bucket: 'day', before: 13 },
  '90d': { bucket: 'day', before: 89 },
};

const decidedByPerson = `a.resolved_by IS NOT NULL AND a.status IN ('approved', 'denied')`;
const toDecide = `extract(epoch FROM a.resolved_at - a.created_at)`;
const percentile = (part: number, value: string, where = 'true') =>
  `(percentile_cont(${String(part)}) WITHIN GROUP (ORDER BY ${value}) FILTER (WHERE ${where}))::float8`;
const countOf = (where: string) => `(count(*) FILTER (WHERE ${where}))::int`;

const times = `${percentile(0.5, toDecide, decidedByPerson)} AS median_seconds,
    ${percentile(0.95, toDecide, decidedByPerson)} AS p95_seconds`;
const endings = `${countOf(`a.status = 'approved' AND a.resolved_by IS NOT NULL`)} AS approved,
    ${countOf(`a.status = 'denied'`)} AS denied, ${countOf(`a.status = 'timed_out'`)} AS timed_out,
    ${countOf(`a.status = 'approved' AND a.resolved_by IS NULL`)} AS released,
    ${countOf(`a.status = 'cancelled'`)} AS cancelled`;
/** The range in the index of the newest requests. */
const asked = 'a.org_id = $1 AND a.created_at >= $2';

interface Frame {
  readonly now: Date;
  readonly starts: Date[];
}
type Figures = Pick<
  Overview,
  'asked' | 'median_seconds' | 'p95_seconds' | 'approved' | 'denied' | 'timed_out' | 'released' | 'cancelled'
>;
type Series = Omit<SeriesRow, 'start'> & { readonly start: Date };

/** Figures of a workspace, of one moment, by queries of bounded time. */
export const makeReadOverview =
  (pool: pg.Pool) =>
  async ({
    org_id,
    range,
    tz,
  }: CommandRequest<typeof approvalServiceCommands.overview>): Promise<Overview> => {
    const { bucket, before } = steps[range];
    const client = await pool.connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await client.query(`SET LOCAL statement_timeout = ${String(mostMs)}`);
      const one = async <Row extends object>(sql: string, values: unknown[]): Promise<Row> => {
        const [row] = (await client.query<Row>(sql, values)).rows;
        if (row === undefined) throw new Error('a query of figures has no row');
        return row;
      };
      const { now, starts } = await one<Frame>(frame, [bucket, before, tz]).catch(refuseZone);
      const from = starts[0] ?? now;
      const figures = await one<Figures>(
        `SELECT count(*)::int AS asked, ${times}, ${endings} FROM approval a WHERE ${asked}`,
        [org_id, from],
      );
      const waiting = await one<Overview['waiting']>(
        `SELECT count(*)::int AS total, ${countOf('o.deadline_at < $2')} AS under_5_minutes,
                ${countOf(`a.status = 'escalated'`)} AS escalated
           FROM open_request o JOIN approval a USING (org_id, approval_id) WHERE o.org_id = $1`,
        [org_id, new Date(now.getTime() + soonMs)],
      );
      const { rows: series } = await client.query<Series>(
        `SELECT date_trunc($3, a.created_at, $4) AS start, count(*)::int AS asked,
                ${countOf('a.resolved_at IS NULL')} AS open, ${times}, ${endings},
                ${percentile(0.5, 'extract(epoch FROM a.deadline_at - a.created_at)')} AS timeout_seconds
           FROM approval a WHERE ${asked} GROUP BY 1`,
        [org_id, from, bucket, tz],
      );
      const { rows: policies } = await client.query<PolicyRow>(
        `SELECT p.*, coalesce(s.votes_seen, 0) AS votes_seen, s.median_seen_ms FROM (
           SELECT a.policy_id, (array_agg(a.policy ->> 'name' ORDER BY a.created_at DESC))[1] AS name,
                  count(*)::int AS asked, ${countOf(`a.status = 'denied' AND a.resolved_by IS NOT NULL`)} AS denied,
                  ${countOf(`a.status = 'timed_out'`)} AS timed_out
             FROM approval a WHERE ${asked} GROUP BY a.policy_id
            ORDER BY asked DESC, a.policy_id LIMIT ${String(mostPolicies)}) AS p
           LEFT JOIN (
             SELECT a.policy_id, count(*)::int AS votes_seen, ${percentile(0.5, 'seen.ms')} AS median_seen_ms
               FROM approval a CROSS JOIN unnest(a.seen_ms) AS seen (ms) WHERE ${asked} GROUP BY a.policy_id) AS s
             USING (policy_id)
          ORDER BY p.asked DESC, policy_id`,
        [org_id, from],
      );
      const { rows: hours } = await client.query<Overview['hours'][number]>(
        `SELECT extract(isodow FROM a.created_at AT TIME ZONE $3)::int AS weekday,
                extract(hour FROM a.created_at AT TIME ZONE $3)::int AS hour,
                count(*)::int AS asked, ${countOf(`a.status = 'timed_out'`)} AS timed_out
           FROM approval a WHERE ${asked} GROUP BY 1, 2 ORDER BY 1, 2`,
        [org_id, from, tz],
      );
      await client.query('COMMIT');
      return {
        range,
        tz,
        from: from.toISOString(),
        now: now.toISOString(),
        waiting,
        ...figures,
        bucket,
        series: fullSeries(
          starts.map((start) => start.toISOString()),
          series.map((row) => ({ ...row, start: row.start.toISOString() })),
        ),
        policies: policies.map(withAdvice),
        hours,
      };
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  };
export type ReadOverview = ReturnType<typeof makeReadOverview>;

/** The beginnings of the hours or days up to now. Days are those of the time zone, which may have 23 or 25 hours. */
const frame = `SELECT now() AS now, array_agg(s AT TIME ZONE $3 ORDER BY s) AS starts
    FROM generate_series(date_trunc($1, now() AT TIME ZONE $3) - $2::int * ('1 ' || $1)::interval,
                         date_trunc($1, now() AT TIME ZONE $3), ('1 ' || $1)::interval) AS s`;

/** The database's list of zones may be another one than ours. */
function refuseZone(error: unknown): never {
  if ((error as { code?: string }).code === '22023')
    throw new Refused('VALIDATION_FAILED', 'the database does not know this time zone', {
      errors: [{ pointer: '/query/tz', detail: 'is no time zone' }],
    });
  throw error;
}
