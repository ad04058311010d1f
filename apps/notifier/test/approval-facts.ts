import type { EscalationStep, EventData } from '@agentlattice/contracts';
import type { Said } from '@agentlattice/testkit';
import { newId } from './notifier-harness.js';

/** One request, and what happens to it as the approval-service tells it. */
export class ApprovalFacts {
  readonly approval_id = newId('apr');
  private version = 0;
  private readonly timeout_at: string;

  constructor(
    readonly org_id: string,
    inMs = 600_000,
    private readonly actionType = 'deploy.production',
  ) {
    this.timeout_at = new Date(Date.now() + inMs).toISOString();
  }

  opened(): Said {
    const at = new Date().toISOString();
    return this.said('approval.opened', {
      ...this.subject(),
      action_digest: 'd'.repeat(43),
      terms: {
        timeout_ms: 600_000,
        approvals_required: 1,
        denials_required: 1,
        approver_groups: [],
        separation_of_duties: false,
        escalation: [],
        on_removed: 'approve',
        on_no_approver: 'escalate',
      },
      judged_at: at,
      requested_at: at,
      timeout_at: this.timeout_at,
    });
  }

  escalated(step: Partial<EscalationStep> = {}): Said {
    const { timeout_at } = this;
    return this.said('approval.escalated', {
      ...this.subject(),
      level: 1,
      repetition: 0,
      step: { after: '10m', contacts: [], channels: [], repeat: null, ...step },
      timeout_at,
    } satisfies EventData<'approval.escalated'>);
  }

  timedOut(): Said {
    return this.said('approval.timed_out', { ...this.subject(), timeout_at: this.timeout_at });
  }

  cancelled(): Said {
    return this.said('approval.cancelled', this.subject());
  }

  private said(type: string, data: object): Said {
    return { org_id: this.org_id, stream_id: this.approval_id, version: ++this.version, type, data };
  }

  private subject(): Omit<EventData<'approval.cancelled'>, 'suspension'> {
    return {
      approval_id: this.approval_id,
      audit_event_id: newId('evt'),
      agent: { id: newId('agt'), name: 'deploy-bot', owner_member_id: null },
      action_type: this.actionType,
      policy: { id: newId('pol'), name: 'production-deploys', version: 3, hash: 'a'.repeat(64) },
    };
  }
}
