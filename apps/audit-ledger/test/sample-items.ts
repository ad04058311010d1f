import { createHash } from 'node:crypto';
import { type AppendItem, type Verdict } from '@agentlattice/contracts';
import { canonicalJson } from '@agentlattice/ledger';
import { typeidUnboxed } from 'typeid-js';
import type { SubmissionDraft } from '../src/domain/draft.js';
import { readSubmission } from '../src/domain/read-submission.js';

export const newOrg = () => typeidUnboxed('org');
export const samplePolicy = {
  id: typeidUnboxed('pol'),
  name: 'Sample',
  version: 3,
  hash: 'ab'.repeat(32),
};
export const sampleAgent = {
  id: typeidUnboxed('agt'),
  name: 'Déploy "bot"\n🚀',
  suspended: false,
  owner_member_id: null,
};

const verdicts: Record<Verdict['decision'], () => Partial<Verdict>> = {
  executed: () => ({ policy: samplePolicy }),
  denied: () => ({ denial_reason: 'POLICY_NOT_FOUND' }),
  requested: () => ({
    policy: samplePolicy,
    approval_id: typeidUnboxed('apr'),
    terms: {
      timeout_ms: 90_000,
      approvals_required: 1,
      denials_required: 1,
      approver_groups: [],
      separation_of_duties: false,
      escalation: [],
      on_removed: 'approve',
      on_no_approver: 'escalate',
    },
  }),
};

export interface Wanted {
  readonly org?: string;
  readonly decision?: Verdict['decision'];
  readonly eventId?: string | null;
  readonly metadata?: Record<string, unknown>;
  readonly wantGrant?: boolean;
  readonly gateway?: string;
}

const sharedOrg = newOrg();

/** A submission as the engine forwards it. */
export function sampleItem(wanted: Wanted = {}): AppendItem {
  const org_id = wanted.org ?? sharedOrg;
  const metadata = canonicalJson(wanted.metadata ?? { pr_size: 12 });
  const data_accessed = canonicalJson([{ name: 'crm', rows: 4 }]);
  const action_type = 'mail.send';
  const action_digest = createHash('sha256')
    .update(
      canonicalJson({
        action_type,
        agent_id: sampleAgent.id,
        data_accessed: JSON.parse(data_accessed) as unknown,
        metadata: JSON.parse(metadata) as unknown,
        org_id,
      }),
    )
    .digest('base64url');
  const decision = wanted.decision ?? 'executed';
  return {
    item_id: typeidUnboxed('req'),
    gateway: wanted.gateway ?? 'test',
    org_id,
    agent: sampleAgent,
    action_type,
    metadata,
    data_accessed,
    action_digest,
    client_event_id: wanted.eventId === undefined ? typeidUnboxed('req') : wanted.eventId,
    delegation_id: null,
    want_grant: wanted.wantGrant ?? false,
    correlation_id: typeidUnboxed('req'),
    traceparent: null,
    verdict: {
      decision,
      denial_reason: null,
      policy: null,
      conditions_evaluated: [{ field: 'pr_size', operator: 'lt', expected: 50, result: true }],
      approval_id: null,
      terms: null,
      judged_at: '2026-11-25T06:00:00.000Z',
      ...verdicts[decision](),
    },
  };
}

/** The same, read and ready to be written. */
export const sampleSubmission = (wanted: Wanted = {}): SubmissionDraft =>
  readSubmission(sampleItem(wanted), {
    id: typeidUnboxed('evt'),
    salts: { metadata: '01'.repeat(16), data_accessed: '02'.repeat(16) },
    grantTtlSeconds: 900,
  });
