import type { approvalServiceCommands, CommandRequest, QueueFigures } from '@agentlattice/contracts';
import { maxPageBytes, readCursor } from '@agentlattice/service';
import type pg from 'pg';
import { countsByTimeLeft } from '../domain/queue-figures.js';
import { isFound, type Searchable } from '../domain/search-requests.js';
import { columns, epochMs } from './approval-reader.js';
import type { ApprovalRow } from './approval-row.js';
import type { OpenQueues, OpenRequest } from './open-queues.js';
import { Verdicts } from './verdicts.js';
import type { Viewer } from './viewers.js';
import { visibleTo } from './visible-to-agent.js';

export type ListRequest = CommandRequest<(typeof approvalServiceCommands)['list_approvals']>;

/** The rows of a page, at most one more than it holds, and where the next one begins if the rows do not say it. */
export interface ListedRows {
  readonly rows: readonly ApprovalRow[];
  /** Set when the search stopped before the end of the list. */
  readonly searchedTo: string | null;
  readonly figures: Omit<QueueFigures, 'now'>;
}

const cursorForm = /^(\d{1,15})\/(apr_[0-9a-z]{26})$/;
/** How many ended requests one page of a search looks at. */
const mostSearched = 2_000;
/** Larger metadata is not searched. */
const mostSearchedBytes = 4_096;

/** Open requests are listed by their deadline, the most urgent first; all others with the newest first. */
export const isQueue = ({ status, decidable }: Pick<ListRequest, 'status' | 'decidable'>) =>
  status === 'pending' || status === 'escalated' || decidable === true;

export const cursorAt = (
  queue: boolean,
  row: Pick<ApprovalRow, 'deadline_at' | 'created_at' | 'approval_id'>,
): string => cursorOf((queue ? row.deadline_at : row.created_at).getTime(), row.approval_id);

const cursorOf = (ms: number, id: string) => `${String(ms)}/${id}`;

/** Where a request stands in a list. Times are epoch milliseconds. */
type Placed = Pick<OpenRequest, 'approval_id' | 'deadline' | 'created'>;

/** A request whose texts are searched. */
interface Candidate extends Searchable, Placed {}

/** Finds the rows of lists of requests. */
export class ApprovalLists {
  private readonly verdicts = new Verdicts();

  constructor(
    private readonly pool: pg.Pool,
    private readonly queues: OpenQueues,
  ) {}

  /** @param viewer the operator who reads; null for an agent, which decides nothing and gets no figures */
  async find(asked: ListRequest, viewer: Viewer | null): Promise<ListedRows> {
    const request = { ...asked, with_delegates: await this.hasDelegates(asked) };
    const { query, decidable } = { query: request.q, decidable: request.decidable === true };
    if (isQueue(request) && viewer !== null) return this.findInQueue(request, viewer);
    if (decidable) return { rows: [], searchedTo: null, figures: {} };
    const figures = viewer === null ? {} : { total: null, counts: null, hidden: 0 };
    if (query !== undefined) return { ...(await this.search(request, query)), figures };
    return { rows: await this.rows(request, filterOf(request, 'from cursor')), searchedTo: null, figures };
  }

  /** Few agents have any; for the others one index gives the page in order. */
  private async hasDelegates({ org_id, agent_id, with_delegates }: ListRequest): Promise<boolean> {
    if (agent_id === undefined || with_delegates !== true) return false;
    const { rowCount } = await this.pool.query(
      `SELECT FROM approval WHERE org_id = $1 AND acting_for <> '{}' AND acting_for @> ARRAY[$2] LIMIT 1`,
      [org_id, agent_id],
    );
    return rowCount === 1;
  }

  /** From the queue in memory; texts are looked through in the database. */
  private async findInQueue(request: ListRequest, viewer: Viewer): Promise<ListedRows> {
    const [queue, found] = await Promise.all([
      this.queues.of(request.org_id),
      request.q === undefined
        ? null
        : this.candidates(request, filterOf(request, 'from the beginning')).then(
            (rows) => new Set(rows.map(({ approval_id }) => approval_id)),
          ),
    ]);
    const isWanted = matches(request);
    const wanted = queue.filter(
      (one) => isWanted(one.request) && (found === null || found.has(one.request.approval_id)),
    );
    const canDecide = this.verdicts.of(viewer);
    const listed = (
      request.decidable === true ? wanted.filter(({ state }) => state !== null && canDecide(state)) : wanted
    ).map((one) => one.request);
    const position = positionOf(request);
    const from = position === null ? 0 : listed.findIndex((one) => isAfter(one, position));
    return {
      rows: await this.rowsOf(request, from < 0 ? [] : listed.slice(from, from + request.limit + 1)),
      searchedTo: null,
      figures: {
        total: listed.length,
        counts: countsByTimeLeft(listed, viewer.now),
        hidden: wanted.length - listed.length,
      },
    };
  }

  private async search(request: ListRequest, text: string): Promise<Omit<ListedRows, 'figures'>> {
    const searched = await this.candidates(
      { ...request, q: undefined },
      filterOf(request, 'from cursor'),
      text,
    );
    const found = searched.filter((one) => isFound(text, one));
    const last = searched.at(-1);
    return {
      rows: await this.rowsOf(request, found.slice(0, request.limit + 1)),
      searchedTo:
        last === undefined || searched.length < mostSearched || found.length > request.limit
          ? null
          : cursorOf(isQueue(request) ? last.deadline : last.created, last.approval_id),
    };
  }

  /** Narrow rows in the order of the list. */
  private async candidates(
    request: ListRequest,
    { from, where, values, orderedBy }: Filter,
    searched = request.q,
  ): Promise<readonly Candidate[]> {
    const limit = isQueue(request) ? '' : `LIMIT ${String(mostSearched)}`;
    const texts = searched === undefined ? '' : searchedTexts(searched, values);
    const { rows } = await this.pool.query<Candidate>(
      `SELECT a.approval_id, ${epochMs('a.deadline_at')} AS deadline, ${epochMs('a.created_at')} AS created ${texts}
         FROM ${from} WHERE ${where.join(' AND ')} ORDER BY ${orderedBy} ${limit}`,
      values,
    );
    const { q } = request;
    return q === undefined ? rows : rows.filter((row) => isFound(q, row));
  }

  private rowsOf(request: ListRequest, page: readonly Placed[]): Promise<ApprovalRow[]> {
    if (page.length === 0) return Promise.resolve([]);
    return this.rows(request, {
      ...orderOf(isQueue(request), 'a'),
      from: 'approval a',
      where: ['a.org_id = $1', 'a.approval_id = ANY ($2::text[])'],
      values: [request.org_id, page.map(({ approval_id }) => approval_id)],
    });
  }

  /** Reads one request more than a page, to know whether the page is the last, and no more than one message holds. */
  private async rows(request: ListRequest, filter: Filter): Promise<ApprovalRow[]> {
    const { from, where, values, orderedBy } = filter;
    const limit = `$${String(values.push(request.limit + 1))}`;
    const most = `$${String(values.push(maxPageBytes))}::bigint`;
    const order = orderOf(isQueue(request), 'a').orderedBy;
    const { rows } = await this.pool.query<ApprovalRow>(
      `SELECT ${columns}
         FROM (SELECT a.*, row_number() OVER w AS place, sum(a.bytes) OVER w - a.bytes AS bytes_before
                 FROM (SELECT a.*, coalesce((SELECT octet_length(concat(v.metadata, v.data_accessed, v.conditions_evaluated))
                                             FROM private_value v
                                            WHERE v.org_id = a.org_id AND v.approval_id = a.approval_id), 0) AS bytes
                         FROM ${from} WHERE ${where.join(' AND ')} ORDER BY ${orderedBy} LIMIT ${limit}) AS a
               WINDOW w AS (ORDER BY ${order} ROWS UNBOUNDED PRECEDING)) AS a
        WHERE a.place <= 2 OR a.bytes_before <= ${most} ORDER BY ${order}`,
      values,
    );
    return rows;
  }
}

interface Filter {
  readonly from: string;
  readonly where: readonly string[];
  readonly values: unknown[];
  readonly orderedBy: string;
}

const orderOf = (queue: boolean, table: 'a' | 'o') =>
  queue
    ? { orderedBy: `${table}.deadline_at ASC, ${table}.approval_id ASC`, time: 'deadline_at', after: '>' }
    : { orderedBy: `${table}.created_at DESC, ${table}.approval_id DESC`, time: 'created_at', after: '<' };

function filterOf(request: ListRequest, begin: 'from cursor' | 'from the beginning'): Filter {
  const queue = isQueue(request);
  // The narrow table has the open requests; the planner cannot estimate their number from the status.
  const from = queue ? 'open_request o JOIN approval a USING (org_id, approval_id)' : 'approval a';
  const table = queue ? 'o' : 'a';
  const { orderedBy, time, after } = orderOf(queue, table);
  const values: unknown[] = [request.org_id];
  const where = ['a.org_id = $1', ...(queue ? ['o.org_id = $1'] : [])];
  const and = (condition: (n: string) => string, value: unknown) =>
    where.push(condition(`$${String(values.push(value))}`));
  for (const name of ['action_type', 'policy_id'] as const)
    if (request[name] !== undefined) and((n) => `a.${name} = ${n}`, request[name]);
  const { agent_id, with_delegates: withDelegates } = request;
  if (agent_id !== undefined)
    and((n) => (withDelegates === true ? visibleTo('a', n) : `a.agent_id = ${n}`), agent_id);
  const { status } = request;
  // `pending` is every request of the narrow table; escalated ones are pending, too.
  if (status === 'decided') where.push(`a.status NOT IN ('pending', 'escalated')`);
  else if (status !== undefined && status !== 'pending') and((n) => `a.status = ${n}`, status);
  const position = positionOf(request);
  if (position !== null && begin === 'from cursor') {
    const at = `to_timestamp($${String(values.push(position.ms))}::bigint / 1000.0)`;
    and((n) => `(${table}.${time}, ${table}.approval_id) ${after} (${at}, ${n}::text)`, position.id);
  }
  return { from, where, values, orderedBy };
}

/** The filter of the list for one open request; `pending` is every open request. */
const matches =
  ({ status, action_type, agent_id, policy_id }: ListRequest) =>
  (request: OpenRequest): boolean =>
    (status === undefined || status === 'pending' || status === request.status) &&
    (action_type === undefined || action_type === request.action_type) &&
    (agent_id === undefined || agent_id === request.agent_id) &&
    (policy_id === undefined || policy_id === request.policy_id);

/** @throws Refused VALIDATION_FAILED for a cursor of another list */
function positionOf({ cursor }: ListRequest): { ms: number; id: string } | null {
  const [, ms, id] = cursorForm.exec(readCursor(cursor, cursorForm) ?? '') ?? [];
  return ms === undefined || id === undefined ? null : { ms: Number(ms), id };
}

const isAfter = ({ deadline, approval_id }: Placed, { ms, id }: { ms: number; id: string }) =>
  deadline > ms || (deadline === ms && approval_id > id);

/** Metadata that cannot contain the text is not sent; letters outside of ASCII are compared by the domain alone. */
function searchedTexts(text: string, values: unknown[]): string {
  const n = `$${String(values.push(JSON.stringify(text.toLowerCase()).slice(1, -1)))}`;
  return `, a.action_type, a.agent_name, a.policy ->> 'name' AS policy_name,
    (SELECT v.metadata FROM private_value v
      WHERE v.org_id = a.org_id AND v.approval_id = a.approval_id
        AND octet_length(v.metadata) <= ${String(mostSearchedBytes)}
        AND (octet_length(v.metadata) <> length(v.metadata)
             OR position(${n}::text IN lower(v.metadata COLLATE "C")) > 0)) AS metadata`;
}
