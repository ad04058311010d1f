import {
  type CommandResponse,
  type EventData,
  policyEngineCommands,
  Unavailable,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import type { ClaimedRejudging } from './rejudging-queue.js';

/** A request whose first event can be read. */
export type ReadableRequest = ClaimedRejudging & { readonly opened: EventData<'approval.opened'> };
export const isReadable = (request: ClaimedRejudging): request is ReadableRequest => request.opened !== null;

/** A request whose submitted values are not erased. */
export type UnerasedRequest = ReadableRequest & {
  readonly metadata: string;
  readonly data_accessed: string;
};
export const isUnerased = (request: ReadableRequest): request is UnerasedRequest =>
  request.metadata !== null && request.data_accessed !== null;

export type JudgedRequest = UnerasedRequest & {
  readonly judgement: CommandResponse<(typeof policyEngineCommands)['rejudge']>['judgements'][number];
};

/** NATS takes 1 MiB a message, and text in JSON may become twice as long; one request alone always fits. */
const maxBytes = 384 * 1024;

/**
 * Asks the policy-engine to judge requests by the current policies, as many as fit one message, in the order given.
 * @returns the judged ones; the others are requested again later
 * @throws Unavailable when it does not answer in time, or judges none of them
 */
export async function askForJudgements(
  commands: CommandClient,
  orgId: string,
  requests: readonly UnerasedRequest[],
  timeoutMs: number,
): Promise<JudgedRequest[]> {
  let bytes = 0;
  const asked = requests.filter(({ metadata, data_accessed }, i) => {
    bytes += Buffer.byteLength(metadata) + Buffer.byteLength(data_accessed);
    return i === 0 || bytes <= maxBytes;
  });
  const [first] = asked;
  if (first === undefined) return [];
  const { judgements } = await commands.request(
    policyEngineCommands.rejudge,
    {
      org_id: orgId,
      items: asked.map(({ approval_id, opened, action_type, metadata, data_accessed }) => ({
        approval_id,
        agent: opened.agent,
        action_type,
        metadata,
        data_accessed,
        judged_at: opened.judged_at,
      })),
    },
    { traceparent: first.traceparent, timeoutMs },
  );
  const byId = new Map(judgements.map((judgement) => [judgement.approval_id, judgement]));
  const judged = asked.flatMap((request) => {
    const judgement = byId.get(request.approval_id);
    return judgement === undefined ? [] : [{ ...request, judgement }];
  });
  if (judged.length === 0) throw new Unavailable('the policy engine judged none of what it was asked');
  return judged;
}
