import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { approvalsKey, listApprovals } from '../../api/approvals.js';
import { countText } from '../../domain/counts.js';

/** Up to this many are counted here when the server gives no total. */
const countedHere = 200;

/** The requests that wait under a policy now. */
export const useWaitingUnder = (policyId: string) =>
  useQuery({
    queryKey: [...approvalsKey, 'under', policyId],
    queryFn: ({ signal }) =>
      listApprovals({ status: 'pending', policy_id: policyId }, { limit: countedHere }, signal),
  });

export function WaitingUnder({ policyId }: { readonly policyId: string }) {
  const { data } = useWaitingUnder(policyId);
  return (
    <section className="card" aria-labelledby="waiting">
      <h2 id="waiting">Waiting under it</h2>
      <p>
        {data === undefined ? (
          'Counting…'
        ) : data.approvals.length === 0 ? (
          'No request waits.'
        ) : (
          <Link to="/approvals" search={{ policy_id: policyId, show: 'all' }}>
            {countText(data)} waiting
          </Link>
        )}
      </p>
      <p className="fine">
        <Link to="/audit" search={{ policy_id: policyId }}>
          Everything it decided, in the audit log
        </Link>
      </p>
    </section>
  );
}
