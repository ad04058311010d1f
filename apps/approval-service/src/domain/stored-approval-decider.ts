import { eventRegistry, isEventType, readBy } from '@agentlattice/contracts';
import { type Decider, fold } from '@agentlattice/decider';
import type { z } from 'zod';
import { type Approval, type ApprovalEvent, evolve, UnreadableEvent } from './approval.js';
import { type ApprovalCommand, approvalDecider } from './approval-decider.js';

/** An event as it stands on disk: of any type, version and form until `readApprovalEvent` has checked it. */
export interface RecordedEvent {
  readonly type: string;
  readonly data: object;
  /** The version that the store writes where none is given is 1. */
  readonly schema_version?: number;
}

/**
 * Checks a stored event by the schema of its type and version.
 * @throws UnreadableEvent naming the type and the version
 */
export function readApprovalEvent({ type, data, schema_version: version = 1 }: RecordedEvent): ApprovalEvent {
  const name = `${type} version ${String(version)}`;
  if (!isEventType(type) || !type.startsWith('approval.'))
    throw new UnreadableEvent(`the history of a request holds an event of unknown type: ${name}`);
  const schema = (eventRegistry[type].versions as Readonly<Record<number, z.ZodType>>)[version];
  if (schema === undefined)
    throw new UnreadableEvent(`the history of a request holds an event of unknown version: ${name}`);
  const parsed = readBy(schema, data);
  if (!parsed.success)
    throw new UnreadableEvent(
      `the history of a request holds ${name} in another form: ${parsed.error.message}`,
    );
  return { type, data: parsed.data } as ApprovalEvent;
}

/**
 * The decider as the event store runs it: every event is checked before it is applied, whether it was loaded or was decided
 * just now, so nothing is written that this build could not read again.
 */
export const storedApprovalDecider: Decider<Approval, ApprovalCommand, RecordedEvent> = {
  ...approvalDecider,
  evolve: (state, event) => evolve(state, readApprovalEvent(event)),
};

/** @throws UnreadableEvent */
export const replayApproval = (history: readonly RecordedEvent[]): Approval =>
  fold(storedApprovalDecider, history);
