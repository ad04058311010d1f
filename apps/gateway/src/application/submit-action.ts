import { createHash } from 'node:crypto';
import { canonicalJson } from '@agentlattice/ledger';
import type { Principal } from '../domain/principal.js';
import { readPrefer } from '../domain/prefer.js';
import { actionAnswer } from '../domain/action-answer.js';
import type { SubmissionPipeline } from '../outbound/submission-pipeline.js';

export interface Submission {
  readonly actionType: string;
  readonly metadata: unknown;
  readonly dataAccessed: unknown;
  readonly clientEventId: string | null;
  readonly delegationId: string | null;
  readonly prefer: string | undefined;
  readonly correlationId: string;
  readonly traceparent: string | null;
}

/** Sends an action on its way to a durable verdict; the answer is on disk when this resolves. */
export class SubmitAction {
  constructor(private readonly pipeline: SubmissionPipeline) {}

  /** @throws Unavailable when any part of the path is away: never an allow */
  async execute(principal: Extract<Principal, { kind: 'agent' }>, submission: Submission) {
    const metadata = canonicalJson(submission.metadata);
    const dataAccessed = canonicalJson(submission.dataAccessed);
    const { agent, orgId } = principal;
    const { outcome, grant } = await this.pipeline.submit({
      org_id: orgId,
      agent,
      action_type: submission.actionType,
      metadata,
      data_accessed: dataAccessed,
      action_digest: actionDigest(submission.actionType, agent.id, dataAccessed, metadata, orgId),
      client_event_id: submission.clientEventId,
      delegation_id: submission.delegationId,
      want_grant: readPrefer(submission.prefer).grant,
      correlation_id: submission.correlationId,
      traceparent: submission.traceparent,
    });
    return actionAnswer(outcome, grant);
  }
}

/** base64url(SHA-256(RFC 8785 of the five members)), from texts that are canonical already (contract §3). */
export function actionDigest(
  actionType: string,
  agentId: string,
  dataAccessed: string,
  metadata: string,
  orgId: string,
): string {
  return createHash('sha256')
    .update(
      `{"action_type":${JSON.stringify(actionType)},"agent_id":${JSON.stringify(agentId)},"data_accessed":${dataAccessed},"metadata":${metadata},"org_id":${JSON.stringify(orgId)}}`,
    )
    .digest('base64url');
}
