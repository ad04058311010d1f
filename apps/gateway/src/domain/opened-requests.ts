/** A request of a principal; `agent_id` is null for operators. */
export interface ApprovalReference {
  readonly org_id: string;
  readonly approval_id: string;
  readonly agent_id: string | null;
}

/** Every wake-up comes within this time of the answer to the submission that opened the request, or is lost. */
const keptMs = 10_000;
const most = 20_000;

interface Opened {
  readonly orgId: string;
  readonly agentId: string | null;
  readonly until: number;
}

/**
 * The requests that this gateway opened a moment ago and of which no wake-up came since: they are pending, and a caller that
 * waits for one need not read it first. Wake-ups that come before the answer are remembered as well. The caller passes the
 * time.
 */
export class OpenedRequests {
  private readonly opened = new Map<string, Opened>();
  private readonly heard = new Map<string, number>();
  /** Until then wake-ups may have been forgotten too early, so that nothing is known. */
  private unsureUntil = Number.NEGATIVE_INFINITY;

  /** The answer to a submission came: the request was open when it was written. */
  note({ org_id, approval_id, agent_id }: ApprovalReference, now: number): void {
    this.forgetOld(now);
    if (now < this.unsureUntil || this.heard.has(approval_id) || this.opened.size >= most) return;
    this.opened.set(approval_id, { orgId: org_id, agentId: agent_id, until: now + keptMs });
  }

  /** Something happened to a request, wherever it was opened. */
  hear(approvalId: string, now: number): void {
    this.opened.delete(approvalId);
    this.forgetOld(now);
    if (this.heard.size >= most) {
      this.heard.clear();
      this.unsureUntil = now + keptMs;
    }
    this.heard.delete(approvalId);
    this.heard.set(approvalId, now + keptMs);
  }

  /** Wake-ups may have been lost. */
  forgetAll(now: number): void {
    this.opened.clear();
    this.unsureUntil = now + keptMs;
  }

  /** How many milliseconds longer the request counts as pending for this principal; 0: not known, so ask. */
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
    for (const [id, until] of this.heard) {
      if (until > now) break;
      this.heard.delete(id);
    }
  }
}
