import { hash } from 'node:crypto';
import { Refused, Unavailable } from '@agentlattice/contracts';
import { canonicalJson } from '@agentlattice/ledger';
import { measure, secondsSince } from '@agentlattice/observability';
import type { Principal } from '../domain/principal.js';
import type { Cleared } from '../domain/act-release.js';
import { actionAnswer, type ActionOutcome, decidedOutcome } from '../domain/action-answer.js';
import type { Preferences } from '../domain/prefer.js';
import type { Answered, SubmissionPipeline } from '../outbound/submission-pipeline.js';
import type { DecisionWakes } from './decision-wakes.js';
import type { AwaitDecision } from './await-decision.js';

export interface Submission {
  readonly actionType: string;
  readonly metadata: unknown;
  readonly dataAccessed: unknown;
  readonly clientEventId: string | null;
  readonly delegationId: string | null;
  readonly prefer: Preferences;
  readonly correlationId: string;
  readonly traceparent: string | null;
  /** Aborted when the agent no longer waits for the answer. */
  readonly gone: AbortSignal;
  /** Called when the verdict is there, before the wait for a decision. */
  readonly judged: () => void;
}

/** The limit of a body; in canonical form a number such as 1e20 takes more bytes. */
const maxBytes = 256 * 1024;

export interface SubmitActionPorts {
  readonly pipeline: Pick<SubmissionPipeline, 'submit'>;
  readonly awaitDecision: AwaitDecision;
  readonly wakes: Pick<DecisionWakes, 'noteOpened'>;
}

/**
 * Sends an action to a durable verdict; the answer is on disk when this resolves. It still has to pass the rule of
 * `domain/act-release.ts`, as every answer does.
 * @throws Unavailable when any part of the path is away: never an allow
 */
export const makeSubmitAction =
  (ports: SubmitActionPorts) =>
  async (
    principal: Extract<Principal, { kind: 'agent' }>,
    submission: Submission,
  ): Promise<ReturnType<typeof actionAnswer> & { readonly cleared: Cleared | null }> => {
    const metadata = canonicalJson(submission.metadata);
    const dataAccessed = canonicalJson(submission.dataAccessed);
    if (Buffer.byteLength(metadata) + Buffer.byteLength(dataAccessed) > maxBytes)
      throw new Refused('BODY_TOO_LARGE', 'metadata and data_accessed are too large in canonical form');
    const { agent, orgId } = principal;
    const answered = await measuredVerdict(() =>
      ports.pipeline.submit({
        org_id: orgId,
        agent,
        action_type: submission.actionType,
        metadata,
        data_accessed: dataAccessed,
        action_digest: actionDigest(submission.actionType, agent.id, dataAccessed, metadata, orgId),
        client_event_id: submission.clientEventId,
        // A header that differs from the key's delegation is denied by the engine.
        delegation_id: submission.delegationId ?? agent.delegation?.id ?? null,
        asked_with_key: {
          id: principal.keyId,
          made_by: principal.madeBy,
          shown_to: [...principal.shownTo],
        },
        want_grant: submission.prefer.grant,
        correlation_id: submission.correlationId,
        traceparent: submission.traceparent,
      }),
    );
    submission.judged();
    const answer = actionAnswer(await decided(ports, orgId, agent.id, answered, submission));
    // The grant of an approved action contains its own times.
    return { ...answer, cleared: answered.outcome.status === 'executed' ? answered.cleared : null };
  };
export type SubmitAction = ReturnType<typeof makeSubmitAction>;

/** Measures the time to the durable verdict, which the wait for a person is no part of. */
async function measuredVerdict(submit: () => Promise<Answered>): Promise<Answered> {
  const startedAt = performance.now();
  try {
    const answered = await submit();
    measure('agentlattice.gate.duration', secondsSince(startedAt), { outcome: answered.outcome.verdict });
    return answered;
  } catch (error) {
    const isRefused = error instanceof Refused && !(error instanceof Unavailable);
    measure('agentlattice.gate.duration', secondsSince(startedAt), {
      outcome: isRefused ? 'refused' : 'unavailable',
    });
    throw error;
  }
}

/** With `Prefer: wait` the answer of a decision that comes in time; else the first answer. */
async function decided(
  { wakes, awaitDecision }: SubmitActionPorts,
  org_id: string,
  agent_id: string,
  answered: Answered,
  { prefer: { waitSeconds }, gone }: Submission,
): Promise<ActionOutcome> {
  const { status, approval_id } = answered.outcome;
  if (status !== 'requested' || approval_id === null) return answered;
  const request = { org_id, approval_id, agent_id };
  if (!answered.replayed) wakes.noteOpened(request);
  if (waitSeconds === 0) return answered;
  const decision = await awaitDecision(request, waitSeconds * 1_000, gone).catch((error: unknown) => {
    // The request is on disk, and the agent can ask for its status.
    if (error instanceof Unavailable) return null;
    throw error;
  });
  return decision === null ? answered : decidedOutcome(answered, decision);
}

/** base64url(SHA-256(RFC 8785 of the five members)), made from texts that are canonical already (contract §3). */
export function actionDigest(
  actionType: string,
  agentId: string,
  dataAccessed: string,
  metadata: string,
  orgId: string,
): string {
  return hash(
    'sha256',
    `{"action_type":${JSON.stringify(actionType)},"agent_id":${JSON.stringify(agentId)},"data_accessed":${dataAccessed},"metadata":${metadata},"org_id":${JSON.stringify(orgId)}}`,
    'base64url',
  );
}
