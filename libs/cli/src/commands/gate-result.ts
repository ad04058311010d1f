import type { Stop } from './stop-watch.js';

/** The result of a gate; `--json` prints it. */
export interface GateResult {
  readonly status:
    | 'executed'
    | 'approved'
    | 'denied'
    | 'policy_not_found'
    | 'timed_out'
    | 'cancelled'
    /** Stopped, and it could not be withdrawn. */
    | 'pending'
    /** Stopped before there was an answer. */
    | 'unknown';
  readonly allowed: boolean;
  readonly action_type: string;
  readonly audit_event_id: string | null;
  readonly approval_id: string | null;
  readonly policy_name: string | null;
  readonly denial_reason: string | null;
  readonly reason: string | null;
  readonly resolved_by: string | null;
  readonly resolved_by_name: string | null;
  readonly timeout_at: string | null;
  readonly grant: string | null;
  /** Why an approval does not count: it has no valid grant for this action. */
  readonly grant_fault: string | null;
  /** Set when al itself stopped waiting. */
  readonly stopped: Stop | null;
}
