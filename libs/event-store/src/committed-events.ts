import type pg from 'pg';
import type { NumberedEvent } from './stored-event.js';

export type CommittedListener = (events: readonly NumberedEvent[]) => void;

const listeners = new WeakMap<pg.Pool, Set<CommittedListener>>();

/**
 * Passes on the events that this process has just committed through a pool, with their numbers, so that they need not be read
 * back. The events of a commit with unknown outcome are not passed on; they are found in the tables.
 * @returns a function that ends it
 */
export function onCommitted(pool: pg.Pool, listener: CommittedListener): () => void {
  const own = listeners.get(pool) ?? new Set();
  listeners.set(pool, own.add(listener));
  return () => void own.delete(listener);
}

/** Called once they are on disk. */
export function announceCommitted(pool: pg.Pool, events: readonly NumberedEvent[]): void {
  for (const listener of listeners.get(pool) ?? []) listener(events);
}
