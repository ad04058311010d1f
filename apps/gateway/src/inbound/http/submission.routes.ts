import { Refused, routes } from '@agentlattice/contracts';
import { currentTraceparent } from '@agentlattice/observability';
import type { NameMembers } from '../../application/name-members.js';
import type { SubmitAction } from '../../application/submit-action.js';
import { readPrefer } from '../../domain/prefer.js';
import { membersOfSubmission } from '../../domain/shown-members.js';
import { setPreferenceApplied, clientGoneSignal } from './long-poll.js';
import type { GatewayRequest } from './http-request.js';
import { type PlainRoute, plainRoute } from './plain-routes.js';

/** An agent asks whether an action may be done. */
export const submissionRoutes = (
  submitAction: SubmitAction,
  nameMembers: NameMembers,
): readonly PlainRoute[] => [
  plainRoute(routes.submitAction, async ({ principal, input: { body, headers }, request, reply }) => {
    const prefer = readPrefer(headers.prefer);
    const answered = await submitAction(principal, {
      actionType: body.action_type,
      // The values as they were sent: the schema's copy lacks members such as `__proto__`, and the digest covers every member.
      metadata: sentMember(request.body, 'metadata') ?? {},
      dataAccessed: sentMember(request.body, 'data_accessed') ?? [],
      clientEventId: eventIdOf(headers, request),
      delegationId: headers['x-al-delegation-id'] ?? null,
      prefer,
      correlationId: request.id,
      traceparent: currentTraceparent(),
      gone: clientGoneSignal(reply, prefer),
      judged: () => request.endLargeBody?.(),
    });
    request.cleared = answered.cleared;
    setPreferenceApplied(reply, prefer);
    reply.status(answered.status);
    return nameMembers(principal.orgId, Promise.resolve(answered.body), membersOfSubmission);
  }),
];

const sentMember = (body: unknown, member: 'metadata' | 'data_accessed'): unknown =>
  (body as Readonly<Record<string, unknown>>)[member];

/** The idempotency key by either of its two names; different values of both are refused. */
function eventIdOf(
  headers: {
    'x-al-event-id'?: string | undefined;
    'idempotency-key'?: string | undefined;
  },
  { raw }: GatewayRequest,
) {
  const { 'x-al-event-id': own, 'idempotency-key': alias } = headers;
  // Node joins a repeated header with commas.
  for (const name of ['x-al-event-id', 'idempotency-key'] as const)
    if (headers[name]?.includes(',') === true && (raw.headersDistinct[name]?.length ?? 0) > 1)
      throw new Refused('VALIDATION_FAILED', `the header ${name} is given twice`, {
        errors: [{ pointer: `/headers/${name}`, detail: 'stands twice' }],
      });
  if (own !== undefined && alias !== undefined && own !== alias)
    throw new Refused('VALIDATION_FAILED', 'X-AL-Event-ID and Idempotency-Key differ', {
      errors: [
        { pointer: '/headers/idempotency-key', detail: 'is an alias of X-AL-Event-ID and must be the same' },
      ],
    });
  return own ?? alias ?? null;
}
