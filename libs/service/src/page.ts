import { Refused } from '@agentlattice/contracts';

/** NATS takes 1 MiB a message: a page ends earlier than asked for when its items are large. */
export const maxPageBytes = 512 * 1024;

/** The first items of a list that was read one further than `limit`, and where the next page begins. */
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
  return { items, next_cursor: more ? Buffer.from(cursorOf(last)).toString('base64url') : null };
}

/** @throws Refused VALIDATION_FAILED when the cursor is none of ours */
export function readCursor(cursor: string | null, form: RegExp): string | null {
  if (cursor === null) return null;
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!form.test(text))
    throw new Refused('VALIDATION_FAILED', 'the cursor comes from no page of this list', {
      errors: [{ pointer: '/cursor', detail: 'is not a next_cursor of this list' }],
    });
  return text;
}
