import type { QueryClient } from '@tanstack/react-query';
import { parseSearch } from '../../router.js';
import { sessionQuery } from '../../session/session-query.js';
import { filterOf, readQueueSearch } from './queue-search.js';
import { waitingQuery } from './waiting-query.js';

/** Begins what the first page reads before React draws, so that the session and the queue cost one round trip and not two. */
export function readAhead(queries: QueryClient, { pathname, search }: Location): void {
  void queries.prefetchQuery(sessionQuery);
  if (pathname !== '/approvals') return;
  const asked = readQueueSearch(parseSearch(search));
  // Who decides is not known yet. A viewer asks for another list then.
  if (asked.tab !== 'decided') void queries.prefetchInfiniteQuery(waitingQuery(filterOf(asked, true)));
}
