import type {
  CommandRequest,
  CommandResponse,
  erasableValues as erasableValuesCommand,
} from '@agentlattice/contracts';
import type pg from 'pg';

type Command = ReturnType<typeof erasableValuesCommand>;
type Values = CommandResponse<Command>['values'][number];

/** NATS takes 1 MiB a message; the values of one event always fit. */
const maxBytes = 512 * 1024;

/**
 * Answers `cmd.<service>.erasable_values`: the reasons and notes of as many events as fit one message. The service keeps them
 * in a table `event_value (org_id, event_id, name, value)`.
 */
export async function erasableValues(
  pool: pg.Pool,
  { events }: CommandRequest<Command>,
): Promise<CommandResponse<Command>> {
  const { rows } = await pool.query<Values>(
    `SELECT v.event_id, max(v.value) FILTER (WHERE v.name = 'reason') AS reason,
            max(v.value) FILTER (WHERE v.name = 'note') AS note
       FROM unnest($1::text[], $2::text[]) AS k (org_id, event_id)
       JOIN event_value v ON v.event_id = k.event_id AND v.org_id = k.org_id
      GROUP BY v.event_id`,
    [events.map(({ org_id }) => org_id), events.map(({ event_id }) => event_id)],
  );
  const found = new Map(rows.map((row) => [row.event_id, row]));
  const answered: string[] = [];
  const values: Values[] = [];
  let bytes = 0;
  for (const { event_id } of events) {
    const one = found.get(event_id);
    bytes += one === undefined ? 0 : Buffer.byteLength(JSON.stringify(one));
    if (answered.length > 0 && bytes > maxBytes) break;
    answered.push(event_id);
    if (one !== undefined) values.push(one);
  }
  return { answered, values };
}

/** PostgreSQL cannot store NUL or half a surrogate pair in a text; routes refuse them earlier. */
export const storable = (text: string) => text.toWellFormed().replaceAll('\0', '\uFFFD');
