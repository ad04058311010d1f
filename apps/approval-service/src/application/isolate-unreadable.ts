import { StoredEventUnreadable } from '@agentlattice/event-store';
import { UnreadableEvent } from '../domain/approval.js';

/**
 * Runs `work` for all items together, or for each alone if the stored history of one cannot be read. So only the unreadable
 * request fails, and the others still meet their deadlines.
 */
export async function isolateUnreadable<Item, Result>(
  items: readonly Item[],
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
  onUnreadable: (item: Item, error: Error) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  try {
    return [...(await work(items))];
  } catch (error) {
    const [only, ...others] = items;
    if (!isUnreadable(error) || only === undefined) throw error;
    if (others.length === 0) return [onUnreadable(only, error)];
  }
  for (const item of items) results.push(...(await isolateUnreadable([item], work, onUnreadable)));
  return results;
}

/** Thrown by the event store, which reads each event, or by `evolve`, which applies them in order. */
export const isUnreadable = (error: unknown): error is Error =>
  error instanceof StoredEventUnreadable || error instanceof UnreadableEvent;
