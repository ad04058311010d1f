import { eventData } from '@agentlattice/contracts';
import { fold } from '@agentlattice/decider';
import { type Approval, type ApprovalEvent, UnreadableEvent } from './approval.js';
import { approvalDecider } from './approval-decider.js';

/** An event from disk: of any type, version and form until `readApprovalEvent` has checked it. */
export interface RecordedEvent {
  readonly type: string;
  readonly data: object;
  /** Default: the newest version, for an event that was just decided. */
  readonly schema_version?: number;
}

/**
 * Checks a stored event by the schema of its type and version, and brings it to the newest version.
 * @throws UnreadableEvent naming the type and the version
 */
export function readApprovalEvent({ type, data, schema_version }: RecordedEvent): ApprovalEvent {
  const version = schema_version ?? eventData.newestVersion(type) ?? 1;
  if (!type.startsWith('approval.'))
    throw new UnreadableEvent(`the history of a request holds an event of another stream: ${type}`);
  const read = eventData.read({ type, schema_version: version, data });
  if (!read.success) throw new UnreadableEvent(`the history of a request cannot be read: ${read.detail}`);
  return { type, data: read.data } as ApprovalEvent;
}

/** @throws UnreadableEvent */
export const replayApproval = (history: readonly RecordedEvent[]): Approval =>
  fold(approvalDecider, history.map(readApprovalEvent));
