import { Refused } from '@agentlattice/contracts';

/** NATS accepts 1 MiB a message, so a page with large items ends before its limit. */
export const maxPageBytes = 512 * 1024;

/** The page of a list that was read with one item more than `limit`, and the cursor of the next page. */
export function page<T>(
  found: readonly T[],
  limit: number,
  cursorOf: (item: T) => string,
): { items: T[]; next_cursor: string | null } {
  const items: T[] = [];
  let bytes = 0;
  for (const item of found.slice(0, limit)) {
    bytes += Buffer.byteLength(JSON.stringify(item));
    if (items.length > 0 && bytes > maxPageBytes) break;
    items.push(item);
  }
  const last = items.at(-1);
  const more = last !== undefined && items.length < found.length;
  return { items, next_cursor: more ? encodeCursor(cursorOf(last)) : null };
}

export const encodeCursor = (text: string): string => Buffer.from(text).toString('base64url');

/** @throws Refused VALIDATION_FAILED for a cursor of another list */
export function readCursor(cursor: string | null, form: RegExp): string | null {
  if (cursor === null) return null;
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!form.test(text))
    throw new Refused('VALIDATION_FAILED', 'the cursor comes from no page of this list', {
      errors: [{ pointer: '/cursor', detail: 'is not a next_cursor of this list' }],
    });
  return text;
}
