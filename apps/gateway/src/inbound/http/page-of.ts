import type { IdPrefix } from '@agentlattice/contracts';
import { page, readCursor } from '@agentlattice/service';

/**
 * A page of rows sorted by id. One row more than the limit is read, to know whether there is a next page.
 * @throws Refused VALIDATION_FAILED when the cursor is not of such a page
 */
export async function pageOf<T extends { readonly id: string }>(
  idPrefix: IdPrefix,
  query: { readonly cursor?: string | undefined; readonly limit: number },
  read: (page: { cursor: string | null; limit: number }) => Promise<T[]>,
): Promise<{ items: T[]; next_cursor: string | null }> {
  const cursor = readCursor(query.cursor ?? null, new RegExp(`^${idPrefix}_[0-9a-z]{26}$`));
  return page(await read({ cursor, limit: query.limit + 1 }), query.limit, ({ id }) => id);
}
