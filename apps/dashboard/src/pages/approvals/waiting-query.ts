import { infiniteQueryOptions } from '@tanstack/react-query';
import { type ApprovalFilter, listApprovals, waitingKey } from '../../api/approvals.js';

const pageSize = 100;

/** The waiting requests that match, page by page in the order of their deadlines. */
export const waitingQuery = (filter: ApprovalFilter) =>
  infiniteQueryOptions({
    queryKey: waitingKey(filter),
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      listApprovals(
        { ...filter, status: 'pending' },
        { limit: pageSize, cursor: pageParam === '' ? undefined : pageParam },
        signal,
      ),
    getNextPageParam: ({ next_cursor }) => next_cursor,
  });
