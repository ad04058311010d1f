import { onCommitted, type StoredEvent } from '@agentlattice/event-store';
import { count, measure, observe, type Reading, recordsMetrics } from '@agentlattice/observability';
import type pg from 'pg';

type Pool = Pick<pg.Pool, 'query'>;

const outcomes = {
  'approval.approved': 'approved',
  'approval.denied': 'denied',
  'approval.cancelled': 'cancelled',
  'approval.timed_out': 'timed_out',
} as const;
const isEnd = (type: string): type is keyof typeof outcomes => Object.hasOwn(outcomes, type);

/** Records the events that this process commits, and reads what is open when metrics are exported. Stops with `stop`. */
export function recordApprovals(pool: pg.Pool): { stop(): Promise<void> } {
  const ends = [
    onCommitted(pool, (events) => {
      if (recordsMetrics()) events.forEach(recordEvent);
    }),
    // Every replica reads the same tables, so these are combined by `max`.
    observe('agentlattice.approval.pending', () => pendingRequests(pool)),
    observe('agentlattice.approval.overdue', async () => [{ value: await overdueSeconds(pool), labels: {} }]),
  ];
  return {
    stop: () => {
      for (const end of ends) end();
      return Promise.resolve();
    },
  };
}

export function recordEvent({ type, stream_id, occurred_at, data, meta }: StoredEvent): void {
  const seconds = (since: number) => Math.max(0, occurred_at.getTime() - since) / 1_000;
  if (type === 'approval.escalated') count('agentlattice.escalation.fired', {});
  if (!isEnd(type)) return;
  measure('agentlattice.approval.wait', seconds(timeOfId(stream_id)), {
    outcome: outcomes[type],
    via: meta.actor?.via ?? 'system',
  });
  if (type === 'approval.timed_out' && 'timeout_at' in data && typeof data.timeout_at === 'string')
    measure('agentlattice.timer.lateness', seconds(Date.parse(data.timeout_at)), { timer: 'deadline' });
}

/** Records how late the steps of an escalation were. */
export function recordEscalations(
  events: readonly StoredEvent[],
  due: readonly { readonly approvalId: string; readonly at: Date }[],
): void {
  if (!recordsMetrics()) return;
  const dueAt = new Map(due.map(({ approvalId, at }) => [approvalId, at.getTime()]));
  for (const { type, stream_id, occurred_at } of events) {
    const at = dueAt.get(stream_id);
    if (type === 'approval.escalated' && at !== undefined)
      measure('agentlattice.timer.lateness', Math.max(0, occurred_at.getTime() - at) / 1_000, {
        timer: 'escalation',
      });
  }
}

const digits = '0123456789abcdefghjkmnpqrstvwxyz';
const timeDigits = 10;

/** When the id of a request was made, in epoch milliseconds: it begins with its time (UUID version 7 in base 32). */
export function timeOfId(id: string): number {
  let time = 0;
  for (const digit of id.slice(id.indexOf('_') + 1).slice(0, timeDigits))
    time = time * digits.length + digits.indexOf(digit);
  return time;
}

/** By the number of people they need; the names of policies are too many for a label (ADR 67). */
async function pendingRequests(pool: Pool): Promise<readonly Reading<'agentlattice.approval.pending'>[]> {
  const { rows } = await pool.query<{ status: string; several: boolean; number: number }>(
    `SELECT a.status, (a.terms ->> 'approvals_required')::int > 1
              OR jsonb_array_length(coalesce(a.terms -> 'approver_groups', '[]')) > 1 AS several,
            count(*)::int AS number
       FROM open_request o JOIN approval a USING (org_id, approval_id) GROUP BY 1, 2`,
  );
  const found = new Map(rows.map((row) => [`${row.status} ${String(row.several)}`, row.number]));
  // Zero is said too: a missing series is no answer.
  return (['pending', 'escalated'] as const).flatMap((status) =>
    ([false, true] as const).map((several) => ({
      value: found.get(`${status} ${String(several)}`) ?? 0,
      labels: { status, quorum: several ? ('several' as const) : ('one' as const) },
    })),
  );
}

async function overdueSeconds(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ seconds: number | null }>(
    `SELECT extract(epoch FROM clock_timestamp() - min(deadline_at))::float8 AS seconds FROM open_request`,
  );
  return Math.max(0, rows[0]?.seconds ?? 0);
}
