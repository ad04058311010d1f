import type { EventData } from '@agentlattice/contracts';
import { UnreadableEvent } from '../domain/approval.js';
import { readApprovalEvent, type RecordedEvent } from '../domain/replay-approval.js';

/** The first event of a request as one column, for queries that need only this event; `e` is its row of `event`. */
export const openedEventColumn =
  "jsonb_build_object('type', e.type, 'schema_version', e.schema_version, 'data', e.data)";

/** @throws UnreadableEvent */
export function readOpenedEvent(stored: Required<RecordedEvent>): EventData<'approval.opened'> {
  const event = readApprovalEvent(stored);
  if (event.type !== 'approval.opened') throw new UnreadableEvent(`a request begins with ${event.type}`);
  return event.data;
}

/** Null when the event cannot be read. */
export function openedEventOf(stored: Required<RecordedEvent>): EventData<'approval.opened'> | null {
  try {
    return readOpenedEvent(stored);
  } catch (error) {
    if (error instanceof UnreadableEvent) return null;
    throw error;
  }
}
