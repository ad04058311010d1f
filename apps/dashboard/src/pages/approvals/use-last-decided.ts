import { useQuery } from '@tanstack/react-query';
import { approvalsKey, listApprovals } from '../../api/approvals.js';
import type { Approval } from '../../api/types.js';

/** The request that ended last; null where none has ended, undefined while that is not known. */
export function useLastDecided(isWanted: boolean): Approval | null | undefined {
  const { data } = useQuery({
    queryKey: [...approvalsKey, 'last-decided'],
    enabled: isWanted,
    queryFn: async ({ signal }) =>
      (await listApprovals({ status: 'decided' }, { limit: 1 }, signal)).approvals[0] ?? null,
  });
  return data;
}
