import { liveEvent } from '@agentlattice/contracts';
import type { LiveEvent } from '@agentlattice/sdk';

/** The request that a live event is about; null: none, or all of them (`reset`). */
export function approvalIdOf({ data }: LiveEvent): string | null {
  const parsed = liveEvent.safeParse(data);
  const id = parsed.success ? parsed.data.data['approval_id'] : null;
  return typeof id === 'string' ? id : null;
}

/** What changes the queue or a request of it. */
export const approvalEventTypes = [
  'approval.requested',
  'approval.escalated',
  'approval.vote_cast',
  'approval.vote_withdrawn',
  'approval.approved',
  'approval.denied',
  'approval.timed_out',
  'approval.cancelled',
] as const;
