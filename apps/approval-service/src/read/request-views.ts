import {
  type ApprovalPage,
  type approvalServiceCommands,
  type ApprovalView,
  type CommandRequest,
  mostAsked,
} from '@agentlattice/contracts';
import { encodeCursor, page } from '@agentlattice/service';
import type pg from 'pg';
import { isOpen } from '../domain/approval.js';
import { remainingApprovers } from '../domain/eligible-approvers.js';
import { replayApproval } from '../domain/replay-approval.js';
import { cannot } from '../domain/voting-outlook.js';
import type { Members } from '../outbound/members.js';
import { type ApprovalLists, cursorAt, isQueue, type ListRequest } from './approval-lists.js';
import { readRow } from './approval-reader.js';
import { type ApprovalRow, type HistoryRow, maxHistorySteps, toView, type ViewFor } from './approval-row.js';
import { readAskHistories } from './ask-histories.js';
import { databaseNow } from './database-now.js';
import { forOperators, type ReadRequest } from './for-operators.js';
import { Viewer } from './viewers.js';

type One = CommandRequest<(typeof approvalServiceCommands)['get_approval']>;

export interface RequestViewsPorts {
  readonly pool: pg.Pool;
  readonly lists: ApprovalLists;
  readonly members: Pick<Members, 'person' | 'lately'>;
}

const selectNewestErasableValues = `CASE WHEN row_number() OVER (PARTITION BY e.org_id, e.stream_id ORDER BY e.version DESC) <= ${String(maxHistorySteps)}
    THEN (SELECT jsonb_object_agg(s.name, s.value) FROM event_value s WHERE s.event_id = e.event_id) END`;

/** For an agent that reads its own requests. */
const agentsOutlook = cannot({
  code: 'AGENT_KEY',
  text: 'an agent decides nothing; a person decides with a key of their own',
});

/** Reads requests as people decide them. An agent sees only its own; others do not exist for it. */
export class RequestViews {
  constructor(private readonly ports: RequestViewsPorts) {}

  /** @throws Refused NOT_FOUND */
  async get(request: One): Promise<ApprovalView> {
    const row = await readRow(this.ports.pool, request);
    const reads = await this.read([row], selectNewestErasableValues);
    const isAgent = request.agent_id !== null;
    const viewer = isAgent ? null : await this.viewerOf(request.org_id, request.viewer);
    const [view] = await this.views(
      reads,
      { how: 'full', reader: isAgent ? 'agent' : 'operator' },
      viewer,
      true,
    );
    if (view === undefined) throw new Error('a request that was read has no view');
    return { ...view, ...(await this.askedFor(request.org_id, reads[0]?.state)) };
  }

  /** Empty where it is not known: it never delays or fails the reading. */
  private async askedFor(
    orgId: string,
    state: ReadRequest['state'] | undefined,
  ): Promise<Pick<ApprovalView, 'asked'>> {
    if (state === undefined || state.status === 'none' || !isOpen(state)) return {};
    const people = await this.ports.members.lately([orgId]).catch(() => new Map<string, never>());
    const ids = remainingApprovers(state, people.get(orgId) ?? []);
    return { asked: { count: ids.length, members: ids.slice(0, mostAsked).map((id) => ({ id })) } };
  }

  /** Open requests by their deadline, the most urgent first; all others with the newest first. */
  async list(request: ListRequest): Promise<ApprovalPage> {
    const viewer = await this.viewerOf(request.org_id, request.viewer ?? undefined);
    const { rows, searchedTo, figures } = await this.ports.lists.find(request, viewer);
    const reads = await this.read(rows, 'NULL');
    const reader = request.viewer === null ? 'agent' : 'operator';
    const queue = isQueue(request);
    const places = new Map(rows.map((row) => [row.approval_id, cursorAt(queue, row)]));
    const { items, next_cursor } = page(
      await this.views(reads, { how: 'short', reader }, viewer, queue),
      request.limit,
      ({ approval_id }) => places.get(approval_id) ?? '',
    );
    return {
      approvals: items,
      next_cursor: next_cursor ?? (searchedTo === null ? null : encodeCursor(searchedTo)),
      ...(viewer === null ? {} : { now: viewer.now.toISOString() }),
      ...figures,
    };
  }

  private async viewerOf(orgId: string, operator: ListRequest['viewer']): Promise<Viewer | null> {
    if (operator === undefined || operator === null) return null;
    const now = await databaseNow(this.ports.pool);
    return Viewer.find(this.ports.members, orgId, operator, now);
  }

  /** @param compares whether the views say what the agent asked before; ended requests in lists do not */
  private async views(
    reads: readonly ReadRequest[],
    how: ViewFor,
    viewer: Viewer | null,
    compares: boolean,
  ): Promise<ApprovalView[]> {
    const rows = reads.map(({ row }) => row);
    const histories =
      viewer === null || !compares ? [] : await readAskHistories(this.ports.pool, rows, viewer.now);
    return reads.map((read, i) => ({
      ...toView(read.row, read.history, how, read.state),
      ...(how.reader === 'agent' ? agentsOutlook : {}),
      ...(viewer === null ? {} : forOperators(read, viewer, histories[i] ?? null)),
    }));
  }

  private async read(rows: readonly ApprovalRow[], erasableValues: string): Promise<ReadRequest[]> {
    const [first] = rows;
    if (first === undefined) return [];
    const { rows: events } = await this.ports.pool.query<HistoryRow>(
      `SELECT e.event_id, e.org_id, e.stream_id, e.type, e.schema_version, e.data, e.occurred_at, e.meta, ${erasableValues} AS erasable_values
         FROM event e WHERE e.org_id = $1 AND e.stream_id = ANY ($2) ORDER BY e.stream_id, e.version`,
      [first.org_id, rows.map((row) => row.approval_id)],
    );
    const histories = Map.groupBy(events, (event) => event.stream_id);
    return rows.map((row) => {
      const history = histories.get(row.approval_id) ?? [];
      return { row, history, state: replayApproval(history) };
    });
  }
}
