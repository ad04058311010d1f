import type { AuditEvent } from '@agentlattice/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo } from 'react';
import { auditKey, listAudit } from '../../api/audit.js';
import { usePaged } from '../../api/paged.js';
import { HostileText } from '../../components/hostile-text.js';
import { EmptyState } from '../../components/notices.js';
import { PageHead } from '../../components/page-head.js';
import { PagedTable } from '../../components/paged-table.js';
import { Time, zoneName } from '../../components/time.js';
import { coalesced } from '../../live/coalesced.js';
import { useLive } from '../../live/live-provider.js';
import { AuditFilters } from './audit-filters.js';
import { type AuditSearch, isSearched } from './audit-search.js';
import { DecisionTag } from './decision-tag.js';
import { Downloads } from './downloads.js';
import { LogVerdict } from './log-verdict.js';

const pageSize = 50;

export function AuditPage() {
  const search = useSearch({ from: '/shell/audit' });
  const events = usePaged(
    [...auditKey, 'list', search],
    (cursor, signal) => listAudit(search, { cursor, limit: pageSize }, signal),
    (page) => page.events,
  );
  return (
    <>
      <PageHead
        title="Audit log"
        lead={`Every step, newest first. No entry can be changed without the check showing it. Times in ${zoneName()}.`}
      />
      <LogVerdict />
      <AuditFilters search={search} />
      {events.items === undefined ? null : (
        <NewerEntries
          search={search}
          newest={events.items[0]?.seq ?? null}
          isLong={events.items.length > pageSize}
        />
      )}
      <PagedTable<AuditEvent>
        paged={events}
        caption="Entries of the audit log"
        moreName="Show older entries"
        keyOf={({ id }) => id}
        empty={
          <EmptyState icon="log" title={isSearched(search) ? 'No entry matches' : 'The log has no entry yet'}>
            {isSearched(search) ? (
              <Link className="btn" to="/audit" search={{}}>
                Clear filters
              </Link>
            ) : null}
          </EmptyState>
        }
        columns={[
          {
            name: 'Entry',
            header: true,
            cell: ({ seq, type }) => (
              <>
                <Link className="mono" to="/audit/$seq" params={{ seq: String(seq) }}>
                  {type}
                </Link>
                <span className="sub">entry {seq.toLocaleString('en-US')}</span>
              </>
            ),
          },
          { name: 'When', cell: ({ timestamp }) => <Time at={timestamp} show="exact" /> },
          { name: 'Result', cell: (event) => <DecisionTag event={event} /> },
          { name: 'Action', cell: (event) => <ActionCell event={event} /> },
          { name: 'Person', cell: (event) => <PersonCell event={event} /> },
        ]}
      />
      <Downloads />
    </>
  );
}

const ActionCell = ({
  event: { action_type, agent, agent_id, approval_id },
}: {
  readonly event: AuditEvent;
}) => (
  <>
    {action_type === null ? null : <code>{action_type}</code>}
    {agent === null ? null : (
      <span className="sub">
        by <HostileText text={agent.name === '' ? (agent_id ?? '') : agent.name} />
      </span>
    )}
    {approval_id === null ? null : (
      <Link className="sub" to="/approvals/$approvalId" params={{ approvalId: approval_id }}>
        The request
      </Link>
    )}
  </>
);

function PersonCell({ event: { operator, reason } }: { readonly event: AuditEvent }) {
  if (operator === null) return <span className="soft">None</span>;
  return (
    <>
      <HostileText text={operator.name ?? operator.id} />
      <span className="sub">by {operator.via}</span>
      {reason === null ? null : (
        <span className="sub">
          “<HostileText text={reason} />”
        </span>
      )}
    </>
  );
}

/** Entries of allowed actions, sign-ins and keys come without a live event. */
const refreshMs = 10_000;
/** Of the page, in pixels: above it the head of the list is in view. */
const shownFromTop = 300;

interface NewerEntriesProps {
  readonly search: AuditSearch;
  /** The first entry that is shown; null: none is. */
  readonly newest: number | null;
  /** Whether older entries were loaded, so that the reader is at work in them. */
  readonly isLong: boolean;
}

/** New entries stand in the list at once while its begin is in view; a list that is read stays as it is until asked. */
function NewerEntries({ search, newest, isLong }: NewerEntriesProps) {
  const queries = useQueryClient();
  const { listen } = useLive();
  const headKey = useMemo(() => [...auditKey, 'newest', search], [search]);
  const { data } = useQuery({
    queryKey: headKey,
    queryFn: async ({ signal }) => (await listAudit(search, { limit: 1 }, signal)).events[0]?.seq ?? null,
    refetchInterval: refreshMs,
  });
  useEffect(() => {
    const look = coalesced(() => queries.invalidateQueries({ queryKey: headKey }));
    return listen(look);
  }, [listen, queries, headKey]);
  const show = useCallback(
    () => queries.invalidateQueries({ queryKey: [...auditKey, 'list', search] }),
    [queries, search],
  );
  const areNewer = data !== undefined && data !== null && data > (newest ?? -1);
  const isRead = isLong || window.scrollY > shownFromTop || document.activeElement?.closest('table') !== null;
  const comesAtOnce = areNewer && !isRead;
  useEffect(() => {
    if (comesAtOnce) void show();
  }, [comesAtOnce, data, show]);
  return (
    <p className="newer" role="status">
      {areNewer && isRead ? (
        <button className="btn" type="button" onClick={() => void show()}>
          Show newer entries
        </button>
      ) : null}
    </p>
  );
}
