import { useInfiniteQuery } from '@tanstack/react-query';

interface Page {
  readonly next_cursor: string | null;
}

/** The items of a list that were loaded so far, and how to load more. */
export interface Paged<Item> {
  /** Undefined until the first page came. */
  readonly items: readonly Item[] | undefined;
  readonly error: unknown;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly more: () => void;
  readonly retry: () => void;
}

/**
 * A list that the server sends page by page. A list whose items change without a live event is asked for again every
 * `refreshMs` while its page is visible.
 */
export function usePaged<P extends Page, Item>(
  queryKey: readonly unknown[],
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<P>,
  itemsOf: (page: P) => readonly Item[],
  refreshMs?: number,
): Paged<Item> {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey,
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => load(pageParam === '' ? undefined : pageParam, signal),
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchInterval: refreshMs ?? false,
  });
  return {
    items: data?.pages.flatMap(itemsOf),
    error,
    hasMore: hasNextPage,
    isLoadingMore: isFetchingNextPage,
    more: () => void fetchNextPage(),
    retry: () => void refetch(),
  };
}

/** Every item of a list, for choices and completion; at most `most`, so that a large workspace does not stop the page. */
export async function loadAll<P extends Page, Item>(
  load: (cursor: string | undefined) => Promise<P>,
  itemsOf: (page: P) => readonly Item[],
  most = 1_000,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await load(cursor);
    items.push(...itemsOf(page));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && items.length < most);
  return items;
}
