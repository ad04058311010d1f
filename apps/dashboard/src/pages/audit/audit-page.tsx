import type { AuditEvent } from '@agentlattice/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { auditKey, listAudit } from '../../api/audit.js';
import { usePaged } from '../../api/paged.js';
import { HostileText } from '../../components/hostile-text.js';
import { EmptyState } from '../../components/notices.js';
import { PageHead } from '../../components/page-head.js';
import { PagedTable } from '../../components/paged-table.js';
import { Time, zoneName } from '../../components/time.js';
import { useLive } from '../../live/live-provider.js';
import { AuditFilters } from './audit-filters.js';
import { isSearched } from './audit-search.js';
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
      <NewerEntries />
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

/** The list stays as it is while it is read; new entries come on request. */
function NewerEntries() {
  const queries = useQueryClient();
  const { listen } = useLive();
  const [areNewer, setNewer] = useState(false);
  useEffect(() => listen(() => setNewer(true)), [listen]);
  return (
    <p className="newer" role="status">
      {areNewer ? (
        <button
          className="btn"
          type="button"
          onClick={() => {
            setNewer(false);
            void queries.invalidateQueries({ queryKey: [...auditKey, 'list'] });
          }}
        >
          Show newer entries
        </button>
      ) : null}
    </p>
  );
}
