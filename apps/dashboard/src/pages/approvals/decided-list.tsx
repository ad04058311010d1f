import { Link } from '@tanstack/react-router';
import { decidedKey, listApprovals } from '../../api/approvals.js';
import { usePaged } from '../../api/paged.js';
import type { Approval } from '../../api/types.js';
import { HostileText } from '../../components/hostile-text.js';
import { LoadingTiles } from '../../components/loading.js';
import { EmptyState, ErrorState } from '../../components/notices.js';
import { Table } from '../../components/table.js';
import { Time } from '../../components/time.js';
import { EndTag } from '../../requests/end-tag.js';
import { type QueueSearch, isFiltered } from './queue-search.js';

const pageSize = 50;

/** Requests that ended, newest first. */
export function DecidedList({ search }: { readonly search: QueueSearch }) {
  const { tab: _, show: __, ...filter } = search;
  const decided = usePaged(
    decidedKey(filter),
    (cursor, signal) => listApprovals({ ...filter, status: 'decided' }, { limit: pageSize, cursor }, signal),
    ({ approvals }) => approvals,
  );
  const { items: rows, error, hasMore, isLoadingMore, more, retry } = decided;
  if (rows === undefined)
    return error === null ? <LoadingTiles /> : <ErrorState error={error} onRetry={retry} />;
  if (rows.length === 0)
    return (
      <EmptyState
        icon="log"
        title={isFiltered(search) ? 'No decided request matches' : 'Nothing has been decided yet'}
      />
    );
  return (
    <div className="card">
      <Table<Approval>
        caption="Decided requests"
        rows={rows}
        keyOf={({ id }) => id}
        columns={[
          {
            name: 'Action',
            header: true,
            cell: ({ id, action_type }) => (
              <Link className="mono" to="/approvals/$approvalId" params={{ approvalId: id }}>
                {action_type}
              </Link>
            ),
          },
          { name: 'Agent', cell: ({ agent }) => <HostileText text={agent.name} /> },
          { name: 'Result', cell: (approval) => <EndTag approval={approval} /> },
          {
            name: 'By',
            cell: ({ resolved_by, resolved_by_name }) =>
              resolved_by === null ? 'No person' : <HostileText text={resolved_by_name ?? 'Unknown'} />,
          },
          { name: 'When', cell: ({ resolved_at, timeout_at }) => <Time at={resolved_at ?? timeout_at} /> },
        ]}
      />
      {hasMore ? (
        <button className="btn" type="button" disabled={isLoadingMore} onClick={more}>
          Show older requests
        </button>
      ) : null}
    </div>
  );
}
