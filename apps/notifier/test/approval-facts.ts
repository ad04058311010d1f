import type { EscalationStep, EventData } from '@agentlattice/contracts';
import type { SourceEvent } from '@agentlattice/testkit';
import { newId } from './notifier-harness.js';

/** One request and its events, as the approval-service publishes them. */
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

  opened(): SourceEvent {
    const at = new Date().toISOString();
    return this.event('approval.opened', {
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

  escalated(step: Partial<EscalationStep> = {}): SourceEvent {
    const { timeout_at } = this;
    return this.event('approval.escalated', {
      ...this.subject(),
      level: 1,
      repetition: 0,
      step: { after: '10m', contacts: [], channels: [], repeat: null, ...step },
      timeout_at,
    } satisfies EventData<'approval.escalated'>);
  }

  timedOut(): SourceEvent {
    return this.event('approval.timed_out', { ...this.subject(), timeout_at: this.timeout_at });
  }

  cancelled(): SourceEvent {
    return this.event('approval.cancelled', this.subject());
  }

  private event(type: string, data: object): SourceEvent {
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
