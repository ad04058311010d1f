import { Link } from '@tanstack/react-router';
import { EmptyState } from '../../components/notices.js';
import { Time } from '../../components/time.js';
import { plural } from '../../domain/time-left.js';
import { useWaitingCount } from '../../shell/shell.js';
import { useLastDecided } from './use-last-decided.js';

interface NothingWaitingProps {
  readonly isFiltered: boolean;
  /** Waiting requests that the reader cannot decide. */
  readonly hidden: number;
}

export function NothingWaiting({ isFiltered, hidden }: NothingWaitingProps) {
  const waiting = useWaitingCount();
  const last = useLastDecided(true);
  if (isFiltered)
    return (
      <EmptyState icon="search" title="No waiting request matches">
        <span className="soft">{plural(waiting ?? 0, 'request')} waiting in all.</span>
        <Link className="btn" to="/approvals" search={{ show: 'all' }}>
          Clear filters
        </Link>
      </EmptyState>
    );
  const resolvedAt = last?.resolved_at ?? last?.timeout_at;
  return (
    <EmptyState icon="check" title={hidden > 0 ? 'Nothing is waiting for you' : 'Nothing is waiting'}>
      <span className="soft">
        {resolvedAt === undefined ? null : (
          <>
            The last request was decided <Time at={resolvedAt} />.{' '}
          </>
        )}
        New ones appear here by themselves.
      </span>
      {hidden > 0 ? (
        <Link className="btn" to="/approvals" search={{ show: 'all' }}>
          Show {plural(hidden, 'request')} that others decide
        </Link>
      ) : null}
    </EmptyState>
  );
}
