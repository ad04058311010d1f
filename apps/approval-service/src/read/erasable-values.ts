import type { approvalServiceCommands, CommandRequest, CommandResponse } from '@agentlattice/contracts';
import type pg from 'pg';

type ErasableValues = (typeof approvalServiceCommands)['erasable_values'];

/** What was said with events; those that said nothing are left out. */
export async function erasableValues(
  pool: pg.Pool,
  { event_ids }: CommandRequest<ErasableValues>,
): Promise<CommandResponse<ErasableValues>> {
  const { rows } = await pool.query<{ event_id: string; reason: string | null; note: string | null }>(
    `SELECT event_id, max(value) FILTER (WHERE name = 'reason') AS reason,
            max(value) FILTER (WHERE name = 'note') AS note
       FROM event_value WHERE event_id = ANY ($1) GROUP BY event_id`,
    [event_ids],
  );
  return { values: rows };
}
