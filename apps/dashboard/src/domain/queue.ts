/** What the queue has to know of a request to keep its place. */
export interface Queued {
  readonly id: string;
  readonly timeout_at: string;
}

/** Soonest deadline first, always; a request never changes its place. */
export const byDeadline = (a: Queued, b: Queued): number =>
  Date.parse(a.timeout_at) - Date.parse(b.timeout_at) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/**
 * Requests that were shown and are no longer in the answer of the server: they ended, or no longer match. Behind the last one that
 * was loaded nothing is known, so what stood there has not left.
 */
export function departed<R extends Queued>(
  shown: readonly R[],
  incoming: readonly R[],
  hasMore: boolean,
): readonly R[] {
  const ids = new Set(incoming.map(({ id }) => id));
  const last = incoming.at(-1);
  return shown.filter(
    (request) => !ids.has(request.id) && (!hasMore || (last !== undefined && byDeadline(request, last) < 0)),
  );
}

/**
 * New requests that have to wait, because inserting them would move what the hand or the focus is on. `anchor` is that request; null: the
 * list is not being used.
 */
export function heldBack<R extends Queued>(
  shown: ReadonlySet<string>,
  incoming: readonly R[],
  anchor: Queued | null,
): readonly R[] {
  if (anchor === null) return [];
  const fresh = incoming.filter(({ id }) => !shown.has(id));
  return fresh.some((request) => byDeadline(request, anchor) < 0) ? fresh : [];
}
