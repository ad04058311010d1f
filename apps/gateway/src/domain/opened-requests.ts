/** A request of a principal; `agent_id` is null for operators. */
export interface ApprovalReference {
  readonly org_id: string;
  readonly approval_id: string;
  readonly agent_id: string | null;
}

/** Every wake-up comes within this time of the answer to the submission that opened the request, or is lost. */
const keptMs = 10_000;
const maxOpened = 20_000;

interface Opened {
  readonly orgId: string;
  readonly agentId: string | null;
  readonly until: number;
}

/**
 * The requests that this gateway opened a moment ago and that had no wake-up since. They are pending, so a caller that waits for
 * one need not read it first. Wake-ups that come before the answer are remembered as well. The caller passes the time.
 */
export class OpenedRequests {
  private readonly opened = new Map<string, Opened>();
  private readonly woken = new Map<string, number>();
  /** Until this time wake-ups may have been forgotten too early, so no request is known to be pending. */
  private uncertainUntil = Number.NEGATIVE_INFINITY;

  /** Records the answer to a submission: its request was open when the answer was written. */
  note({ org_id, approval_id, agent_id }: ApprovalReference, now: number): void {
    this.forgetOld(now);
    if (now < this.uncertainUntil || this.woken.has(approval_id) || this.opened.size >= maxOpened) return;
    this.opened.set(approval_id, { orgId: org_id, agentId: agent_id, until: now + keptMs });
  }

  /** Records a wake-up, also of a request that another gateway opened. */
  noteWakeUp(approvalId: string, now: number): void {
    this.opened.delete(approvalId);
    this.forgetOld(now);
    if (this.woken.size >= maxOpened) {
      this.woken.clear();
      this.uncertainUntil = now + keptMs;
    }
    this.woken.delete(approvalId);
    this.woken.set(approvalId, now + keptMs);
  }

  /** To be called when wake-ups may have been lost. */
  forgetAll(now: number): void {
    this.opened.clear();
    this.uncertainUntil = now + keptMs;
  }

  /** How many milliseconds longer the request counts as pending for this principal; 0: unknown. */
  pendingFor({ org_id, approval_id, agent_id }: ApprovalReference, now: number): number {
    const opened = this.opened.get(approval_id);
    if (opened?.orgId !== org_id || (agent_id !== null && opened.agentId !== agent_id)) return 0;
    return Math.max(0, opened.until - now);
  }

  /** Both are in the order in which they end. */
  private forgetOld(now: number): void {
    for (const [id, { until }] of this.opened) {
      if (until > now) break;
      this.opened.delete(id);
    }
    for (const [id, until] of this.woken) {
      if (until > now) break;
      this.woken.delete(id);
    }
  }
}
