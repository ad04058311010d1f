import { useState } from 'react';
import { useSession } from '../session/session-context.js';
import { whoIn } from '../session/session-query.js';

/** Of this page's life: what a person typed for a request and did not send. */
const drafts = new Map<string, string>();

/**
 * The reason that a person types for a request. It is still there when the session ended in between and the person signed in again, and
 * nobody else who signs in here sees it.
 */
export function useDraftReason(approvalId: string): readonly [string, (reason: string) => void] {
  const key = `${whoIn(useSession())} ${approvalId}`;
  const [reason, setReason] = useState(() => drafts.get(key) ?? '');
  const set = (next: string) => {
    setReason(next);
    if (next === '') drafts.delete(key);
    else drafts.set(key, next);
  };
  return [reason, set];
}
