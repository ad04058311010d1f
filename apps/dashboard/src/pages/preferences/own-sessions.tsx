import type { SessionItem } from '@agentlattice/contracts';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call, pathSegment } from '../../api/client.js';
import { ErrorState } from '../../components/notices.js';
import { Table } from '../../components/table.js';
import { Time } from '../../components/time.js';

const key = ['sessions'] as const;

/** Where the person is signed in; each session can be ended. */
export function OwnSessions() {
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: () => call<{ sessions: readonly SessionItem[] }>('GET', '/api/v1/sessions'),
  });
  const end = useMutation({
    mutationFn: (id: string) => call<undefined>('DELETE', `/api/v1/sessions/${pathSegment(id)}`),
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  });
  return (
    <section className="card" aria-labelledby="sessions">
      <h2 id="sessions">Where you are signed in</h2>
      {error === null ? null : <ErrorState error={error} onRetry={() => void refetch()} />}
      {data === undefined ? null : (
        <Table
          caption="Your sessions"
          rows={data.sessions}
          keyOf={({ id }) => id}
          columns={[
            {
              name: 'Browser',
              header: true,
              cell: ({ user_agent, current }) => (
                <>
                  {user_agent ?? 'Unknown'}
                  {current ? ' (this one)' : ''}
                </>
              ),
            },
            { name: 'Address', cell: ({ address }) => address ?? 'Unknown' },
            { name: 'Last used', cell: ({ last_used_at }) => <Time at={last_used_at} /> },
            {
              name: 'End',
              cell: ({ id, current, user_agent }) =>
                current ? null : (
                  <button className="btn quiet" type="button" onClick={() => end.mutate(id)}>
                    End session<span className="sr"> of {user_agent ?? 'an unknown browser'}</span>
                  </button>
                ),
            },
          ]}
        />
      )}
    </section>
  );
}
